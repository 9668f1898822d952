import { assert, assertEquals, assertMatch } from "@std/assert";
import { Hono } from "hono";
import { type ApiServer, serveApi } from "./api_server.ts";
import type { FrontLimits } from "./front.ts";

const LIMITS: FrontLimits = { headMs: 300, stalledMs: 300, maxConnections: 4 };

async function withServer(
  app: Hono,
  body: (server: ApiServer) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-front-" });
  const server = serveApi(app, "127.0.0.1:0", `${folder}/api.sock`, LIMITS);
  try {
    await body(server);
  } finally {
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

const hello = () =>
  new Hono().get("/", (c) => c.text("hello")).post("/", async (c) => c.text(await c.req.text()));

function connect({ listen }: ApiServer): Promise<Deno.TcpConn> {
  const [hostname, port] = listen.split(":");
  return Deno.connect({ hostname, port: Number(port) });
}

async function send(connection: Deno.TcpConn, text: string): Promise<void> {
  await connection.write(new TextEncoder().encode(text));
}

async function rest(connection: Deno.TcpConn): Promise<string> {
  return await new Response(connection.readable).text();
}

Deno.test("a request is answered, whole or byte by byte, and its connection ends with it", () =>
  withServer(hello(), async (server) => {
    const request =
      "POST / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nabcde";
    for (const size of [1, 7, 1000]) {
      const connection = await connect(server);
      connection.setNoDelay(true);
      for (let at = 0; at < request.length; at += size) {
        await send(connection, request.slice(at, at + size));
      }
      assertMatch(await rest(connection), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nabcde$/);
    }
    for (let i = 0; i < 10; i++) {
      assertEquals(await (await fetch(`http://${server.listen}/`)).text(), "hello");
    }
  }));

Deno.test("a second request on the same connection is not answered", () =>
  withServer(hello(), async (server) => {
    const connection = await connect(server);
    await send(connection, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assertEquals((await rest(connection)).match(/HTTP\/1\.1 200/g)?.length, 1);
  }));

Deno.test("nothing, or half a head: 408 and the end, in time; others are served meanwhile", () =>
  withServer(hello(), async (server) => {
    for (const text of ["", "GET / HTTP/1.1\r\nHost: x\r\n"]) {
      const begun = performance.now();
      const connection = await connect(server);
      if (text !== "") await send(connection, text);
      assertEquals(await (await fetch(`http://${server.listen}/`)).text(), "hello");
      assertMatch(await rest(connection), /^HTTP\/1\.1 408 /);
      assert(performance.now() - begun >= LIMITS.headMs - 10);
    }
  }));

Deno.test("a head without end is refused, and never reaches the server", () => {
  let asked = 0;
  const app = new Hono().all("*", (c) => c.text(String(++asked)));
  return withServer(app, async (server) => {
    const connection = await connect(server);
    await send(connection, "GET / HTTP/1.1\r\n" + "A: b\r\n".repeat(3000)).catch(() => {});
    // What we had not read may reset the connection before the answer is seen.
    assertMatch(await rest(connection).catch(() => "reset"), /^HTTP\/1\.1 431 |^reset$/);
    assertEquals(asked, 0);
  });
});

Deno.test("more connections than there may be are closed at once, and room comes back", () =>
  withServer(hello(), async (server) => {
    const held = await Promise.all([1, 2, 3, 4].map(() => connect(server)));
    const fifth = await connect(server);
    assertEquals(await rest(fifth).catch(() => ""), "");
    for (const one of held) one.close();
    for (;;) {
      const answer = await fetch(`http://${server.listen}/`).then((a) => a.text(), () => null);
      if (answer === "hello") break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }));

Deno.test("a client that does not read is cut off, and the source is not read on for it", async () => {
  const cancelled = Promise.withResolvers<void>();
  let made = 0;
  const app = new Hono().get("/", () => {
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        made += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      },
      cancel: () => cancelled.resolve(),
    });
    return new Response(body);
  });
  await withServer(app, async (server) => {
    const connection = await connect(server);
    await send(connection, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await cancelled.promise;
    // What the kernel's buffers of two connections hold, not more.
    assert(made < 32 * 1024 * 1024, `${made} bytes were made`);
    connection.close();
  });
});

Deno.test("a client that goes away ends its stream at the source", async () => {
  const cancelled = Promise.withResolvers<void>();
  const app = new Hono().get("/", () =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("first")),
        cancel: () => cancelled.resolve(),
      }),
    ));
  await withServer(app, async (server) => {
    const connection = await connect(server);
    await send(connection, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await connection.read(new Uint8Array(100));
    connection.close();
    await cancelled.promise;
  });
});
