/** Receipts under faults, with a real daemon process before a model server of the test's own. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { freshName, startVei, vei } from "../tools/vei.ts";

/** A model server that says a word every 20 ms, for ever; knows when its client went away. */
function endlessServer() {
  const gone = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    let timer: ReturnType<typeof setInterval>;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const event = { choices: [{ index: 0, finish_reason: null, delta: { content: "la " } }] };
        const bytes = new TextEncoder().encode(`data: ${JSON.stringify(event)}\n\n`);
        timer = setInterval(() => controller.enqueue(bytes), 20);
      },
      cancel() {
        clearInterval(timer);
        gone.resolve();
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  return { url: `http://127.0.0.1:${server.addr.port}/v1`, gone: gone.promise, server };
}

interface Daemon {
  state: string;
  base: string;
  child: Deno.ChildProcess;
  list(): Promise<{ id: string; sequence: number; verdict: { outcome: string; why?: string } }[]>;
}

async function freePort(): Promise<number> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return await Promise.resolve((listener.addr as Deno.NetAddr).port);
}

/** Starts `vei serve --model …` on a state folder and waits until it is ready. */
async function serve(state: string, model: string): Promise<Daemon> {
  const listen = `127.0.0.1:${await freePort()}`;
  const config = `${state}/vei.toml`;
  await Deno.writeTextFile(config, `[api]\nlisten = "${listen}"\n`);
  const common = ["--instance", freshName(), "--state", `${state}/s`];
  const child = startVei(["serve", "--model", model, "--config", config, ...common]);
  const base = `http://${listen}`;
  for (;;) {
    const ready = await fetch(`${base}/readyz`).then(async (answer) => {
      await answer.text();
      return answer.ok;
    }, () => false);
    if (ready) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const list = async () => JSON.parse((await vei(["receipt", "list", "--json", ...common])).stdout);
  return { state, base, child, list };
}

async function end(daemon: Daemon, signal: Deno.Signal = "SIGTERM"): Promise<void> {
  daemon.child.kill(signal);
  await daemon.child.output();
}

function ask(daemon: Daemon, stream = true, signal?: AbortSignal): Promise<Response> {
  return fetch(`${daemon.base}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "sing on" }], stream }),
    signal,
  });
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-receipts-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("kill -9 of the daemon while answers stream: one interrupted receipt each, no more", () =>
  inFolder(async (folder) => {
    const model = endlessServer();
    const first = await serve(folder, model.url);
    const answers = await Promise.all([ask(first), ask(first), ask(first)]);
    const ids = answers.map((answer) => answer.headers.get("vei-receipt"));
    const readers = answers.map((answer) => answer.body!.getReader());
    for (const reader of readers) await reader.read();
    await end(first, "SIGKILL");
    for (const reader of readers) {
      // What was under way breaks off; the client sees no end of the answer.
      while (!(await reader.read().catch(() => ({ done: true }))).done);
    }
    for (let start = 0; start < 2; start++) {
      const next = await serve(folder, "mock");
      try {
        const list = await next.list();
        assertEquals(list.map((one) => one.id).toSorted(), ids.toSorted());
        assertEquals(list.map((one) => one.sequence), [1, 2, 3]);
        for (const one of list) assertEquals(one.verdict.outcome, "interrupted");
      } finally {
        await end(next);
      }
    }
    await model.server.shutdown();
  }));

Deno.test("a client that hangs up: the run is cancelled at the model, and there is one receipt", () =>
  inFolder(async (folder) => {
    const model = endlessServer();
    const daemon = await serve(folder, model.url);
    try {
      const hangUp = new AbortController();
      const answer = await ask(daemon, true, hangUp.signal);
      await answer.body!.getReader().read();
      hangUp.abort();
      await model.gone;
      for (let list = await daemon.list();; list = await daemon.list()) {
        if (list.length === 0) continue;
        assertEquals(list.length, 1);
        assertEquals(list[0].verdict, { outcome: "interrupted", why: "the client went away" });
        break;
      }
    } finally {
      await end(daemon);
    }
    await model.server.shutdown();
  }));

Deno.test("a disk that fills up: no answer without its receipt, and none is lost or doubled", () =>
  inFolder(async (folder) => {
    const mount = (...args: string[]) => new Deno.Command("mount", { args }).output();
    const mounted = await mount("-t", "tmpfs", "-o", "size=512k", "tmpfs", folder);
    assertEquals(mounted.code, 0, "this test needs root, to mount a small tmpfs");
    try {
      const daemon = await serve(folder, "mock");
      let given = 0;
      try {
        // Receipts fill what is left; the last answers are refused, not given without one.
        for (let refused = 0; refused < 2;) {
          const answer = await ask(daemon, false);
          const text = await answer.text();
          if (answer.ok) {
            assertEquals(refused, 0, "an answer after the disk was full");
            given++;
          } else {
            refused++;
            assertEquals(answer.status, 503);
            assertStringIncludes(text, "no_receipt");
            assertEquals(text.includes("sing on"), false);
          }
        }
        assertEquals(given > 10, true, `${given} answers before the disk was full`);
      } finally {
        await end(daemon);
      }
      await mount("-o", "remount,size=8m", folder);
      const again = await serve(folder, "mock");
      try {
        const list = await again.list();
        assertEquals(list.map((one) => one.sequence), list.map((_, i) => i + 1));
        const completed = list.filter((one) => one.verdict.outcome === "completed").length;
        assertEquals(completed, given);
        assertMatch(await (await ask(again, false)).text(), /sing on/);
      } finally {
        await end(again);
      }
    } finally {
      await new Deno.Command("umount", { args: ["--lazy", folder] }).output();
    }
  }));
