/** The API before hostile and broken model servers, over real TCP. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { enclaveModel } from "../model/enclave.ts";
import type { Model } from "../model/model.ts";
import { SAMPLE_SETTING } from "../../tests/tools/sample_receipt.ts";
import { events, says, withApp } from "../../tests/tools/chat_world.ts";

/** A model server over real TCP that answers each connection with the next of these byte strings. */
async function withServer(
  answers: Uint8Array[][],
  body: (model: Model) => Promise<void>,
): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const serving = (async () => {
    for (const pieces of answers) {
      using connection = await listener.accept();
      connection.setNoDelay(true);
      await connection.read(new Uint8Array(65_536));
      for (const piece of pieces) await connection.write(piece).catch(() => {});
    }
  })();
  await body(enclaveModel({
    name: "m",
    sha256: SAMPLE_SETTING.model.sha256!,
    host: `127.0.0.1:${port}`,
    idleMs: 200,
    connect: () => Deno.connect({ hostname: "127.0.0.1", port }),
  }));
  await serving;
}

function wire(chunks: unknown[], headers = ""): Uint8Array {
  const body = chunks.map((one) =>
    `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`
  );
  const framed = body.map((part) =>
    `${new TextEncoder().encode(part).length.toString(16)}\r\n${part}\r\n`
  );
  return new TextEncoder().encode(
    `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n${headers}Transfer-Encoding: chunked\r\n\r\n` +
      framed.join("") + "0\r\n\r\n",
  );
}

const token = (content: string, more = {}) => ({
  choices: [{ index: 0, finish_reason: null, delta: { content }, ...more }],
});
const STOP = { choices: [{ index: 0, finish_reason: "stop", delta: {} }] };

Deno.test("a hostile server's word in every other field and header is delivered nowhere", async () => {
  const word = "hate";
  const hostile = {
    id: word,
    object: word,
    model: word,
    system_fingerprint: word,
    service_tier: word,
    timings: { [word]: word },
    usage: { prompt_tokens: word },
    [word]: word,
    choices: [{
      index: 0,
      finish_reason: null,
      logprobs: { content: [{ token: word }] },
      [word]: word,
      delta: {
        role: word,
        content: "fine",
        refusal: word,
        reasoning_content: word,
        name: word,
        tool_calls: [{ function: { name: word, arguments: word } }],
        [word]: word,
      },
    }],
  };
  const answer = wire(
    [hostile, STOP, "[DONE]"],
    `X-${word}: ${word}\r\nServer: ${word}\r\nSet-Cookie: a=${word}\r\n`,
  );
  const error = new TextEncoder().encode(
    `HTTP/1.1 400 ${word}\r\nX-A: ${word}\r\nContent-Length: 4\r\n\r\n${word}`,
  );
  await withServer(
    [[answer], [answer], [error], [error]],
    (model) =>
      withApp(model, async ({ post }) => {
        for (const stream of [false, true, false, true]) {
          const got = await post("/v1/chat/completions", says("x", { stream }));
          const all = [...got.headers].flat().join("\n") + await got.text();
          assertEquals(all.toLowerCase().includes(word), false, all);
        }
      }),
  );
});

Deno.test("a server that cuts at every place delivers the same, and never the word", async () => {
  const bytes = wire([token("I so h"), token("a"), token("te it, é"), STOP, "[DONE]"]);
  const good = wire([token("I so ha"), token("d it, é€😀"), STOP, "[DONE]"]);
  const cuts = Array.from({ length: Math.ceil(bytes.length / 3) }, (_, i) => 3 * i + 1);
  const cutGood = Array.from({ length: Math.ceil(good.length / 5) }, (_, i) => 5 * i + 2);
  const at = (whole: Uint8Array, cut: number) => [whole.subarray(0, cut), whole.subarray(cut)];
  const answers = [...cuts.map((cut) => at(bytes, cut)), ...cutGood.map((cut) => at(good, cut))];
  await withServer(answers, (model) =>
    withApp(model, async ({ post }) => {
      for (let i = 0; i < answers.length; i++) {
        const got = await post("/v1/chat/completions", says("x", { stream: true }));
        const { content } = await events(got);
        assertEquals(content, i < cuts.length ? "I so " : "I so had it, é€😀");
      }
    }));
});

Deno.test("garbage, an early end, a wrong type: an error in the stream, and an honest receipt", async () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  const early = wire([token("half of")]).slice(0, -5);
  const answers = [
    encode("garbage\r\n\r\n"),
    early,
    encode(""),
    wire([token("x")]),
    wire([{ a: 1 }]),
  ];
  await withServer(
    answers.map((one) => [one]),
    (model) =>
      withApp(model, async ({ post, receipt }) => {
        for (let i = 0; i < answers.length; i++) {
          const got = await post("/v1/chat/completions", says("x", { stream: true }));
          const { data } = await events(got.clone());
          assertStringIncludes(data.at(-1)!, '"error"');
          assertEquals(data.includes("[DONE]"), false);
          assertEquals((await receipt(got)).verdict.outcome, "interrupted");
        }
      }),
  );
});

Deno.test("a server that falls silent: the stream ends with an error after the idle time", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const accepted = listener.accept();
  const model = enclaveModel({
    name: "m",
    sha256: SAMPLE_SETTING.model.sha256!,
    host: "127.0.0.1",
    idleMs: 100,
    connect: () => Deno.connect({ hostname: "127.0.0.1", port }),
  });
  await withApp(model, async ({ post, receipt }) => {
    const got = await post("/v1/chat/completions", says("x", { stream: true }));
    const { data } = await events(got.clone());
    assertStringIncludes(data.at(-1)!, '"error"');
    assertMatch((await receipt(got)).verdict.outcome, /interrupted/);
  });
  (await accepted).close();
});
