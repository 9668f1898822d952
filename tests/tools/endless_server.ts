/** A model server that goes on for ever, in OpenAI's form. */

export interface EndlessServer extends AsyncDisposable {
  /** For `--model`. */
  url: string;
}

/** Says `word` every 20 ms, to everybody. It listens in the namespace of the calling thread. */
export function endlessServer(word: string): EndlessServer {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    let timer: ReturnType<typeof setInterval>;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const event = { choices: [{ index: 0, finish_reason: null, delta: { content: word } }] };
        const bytes = new TextEncoder().encode(`data: ${JSON.stringify(event)}\n\n`);
        timer = setInterval(() => controller.enqueue(bytes), 20);
      },
      cancel: () => clearInterval(timer),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/v1`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
