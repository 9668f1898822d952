/** The state folder is not as it was left: damaged, cut, from a newer version, of another time. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { endlessServer, type PlainPlace } from "../tools/plain_daemon.ts";
import { fault, sleep } from "./fault.ts";

/** A place with three receipts in it, and no daemon. */
async function used(place: PlainPlace): Promise<PlainPlace> {
  const daemon = await place.serve("mock");
  for (let n = 0; n < 3; n++) await (await daemon.ask(false)).text();
  assertEquals((await daemon.end("SIGTERM")).code, 0, daemon.log);
  return place;
}

/** The next start is refused. @returns what it said. */
async function refused(place: PlainPlace, exit: number, code: string): Promise<void> {
  const daemon = place.start("mock");
  const ended = await daemon.end();
  assertEquals([ended.code, /\[([a-z-]+)\]$/m.exec(daemon.log)?.[1]], [exit, code], daemon.log);
}

fault("the index is damaged or deleted", async (world) => {
  const place = await used(world.plain());
  const path = `${place.instance.state}/kv.db`;
  world.own("kv.db.damaged");
  world.own("kv.db.damaged-wal");
  world.own("kv.db.damaged-shm");
  const list = await place.list();
  const damage: ((path: string) => Promise<void>)[] = [
    async (path) => await Deno.writeFile(path, new Uint8Array((await Deno.stat(path)).size)),
    async (path) => await Deno.writeFile(path, (await Deno.readFile(path)).fill(0x55, 4096)),
    async (path) => await Deno.truncate(path, 5000),
    async (path) => await Deno.remove(path),
  ];
  for (const change of damage) {
    await Deno.remove(`${path}-wal`).catch(() => {});
    await change(path);
    const daemon = await place.serve("mock");
    const { receipts } = await (await fetch(`http://${daemon.listen}/api/receipts`)).json();
    assertEquals(
      receipts.map(({ id }: { id: string }) => id),
      list.map(({ id }) => id).toReversed(),
    );
    await daemon.end("SIGTERM");
  }
});

fault("the log is damaged", async (world) => {
  const place = await used(world.plain());
  const path = `${place.instance.state}/receipts.log`;
  const whole = await Deno.readFile(path);
  const size = whole.length;
  const regions = [[0, 64], [size >> 1, (size >> 1) + 1], [size - 300, size - 299], [0, size - 1]];
  for (const [from, to] of regions) {
    const bytes = whole.slice();
    for (let at = from; at < to; at++) bytes[at] ^= 1;
    await Deno.writeFile(path, bytes);
    await refused(place, 74, "log-damaged");
    assertEquals(await Deno.readFile(path), bytes);
  }
  await Deno.writeFile(path, whole);
  await place.serve("mock");
});

fault("the log is cut or zeroed", async (world) => {
  const place = await used(world.plain());
  const path = `${place.instance.state}/receipts.log`;
  const whole = await Deno.readFile(path);
  const last = whole.lastIndexOf(10, whole.length - 2) + 1;
  const states = [new Uint8Array(), new Uint8Array(whole.length), whole.slice(0, last)];
  for (const bytes of [...states, whole.slice(0, whole.length - 1)]) {
    await Deno.writeFile(path, bytes);
    await refused(place, 74, "log-shortened");
    assertEquals(await Deno.readFile(path), bytes);
  }
  await Deno.remove(path);
  await refused(place, 74, "log-shortened");
  await Deno.writeFile(path, whole, { mode: 0o600 });
  await place.serve("mock");
});

fault("the node's key is damaged, replaced or gone", async (world) => {
  const place = await used(world.plain());
  const path = `${place.instance.state}/node.key`;
  const whole = await Deno.readTextFile(path);
  const at = whole.indexOf("\n") + 10;
  await Deno.writeTextFile(path, whole.slice(0, at));
  await refused(place, 78, "key-unreadable");
  await Deno.chmod(path, 0o644);
  await refused(place, 78, "key-mode");
  await Deno.remove(path);
  await refused(place, 78, "key-missing");
  await used(world.plain()).then((other) =>
    Deno.copyFile(`${other.instance.state}/node.key`, path)
  );
  await refused(place, 78, "key-replaced");
  await Deno.writeTextFile(path, whole);
  await place.serve("mock");
});

fault("the state folder is of a newer version", async (world) => {
  const box = await world.box();
  await Deno.writeTextFile(`${box.instance.state}/format`, "2\n");
  await box.refuses(78, "state-newer");
  for (const words of [["ask", "--model", "mock", "hello"], ["setup"]]) {
    const ran = await box.vei(words);
    assertEquals(ran.code, 78, ran.stderr);
    assertMatch(ran.stderr, /\[state-newer\]/);
  }
  assertEquals(await Deno.readTextFile(`${box.instance.state}/format`), "2\n");
});

fault("the clock is set back", async (world) => {
  await using model = endlessServer();
  const place = world.plain();
  const clock = new URL("fixtures/clock.ts", import.meta.url).pathname;
  const wrap = [Deno.execPath(), "run", "-A", "--quiet", clock];
  const daemon = await place.serve(model.url, { wrap });
  const setBack = () => daemon.child.kill("SIGUSR2");
  for (let n = 0; n < 3; n++) {
    // In the middle of an answer: it goes on, and ends when its client goes.
    const hangUp = new AbortController();
    const answer = await daemon.ask(true, hangUp.signal);
    const reader = answer.body!.getReader();
    await reader.read();
    setBack();
    for (let pieces = 0; pieces < 5; pieces++) assert(!(await reader.read()).done);
    hangUp.abort();
    for (let list = await place.list(); list.length <= n; list = await place.list()) {
      await sleep(50);
    }
  }
  await daemon.end("SIGTERM");
  const again = await place.serve("mock");
  await (await again.ask(false)).text();
  const list = await place.list();
  assertEquals(list.map(({ sequence }) => sequence), [1, 2, 3, 4]);
  const times = list.map(({ time }) => [time.start, time.end].map((text) => Date.parse(text)));
  const back = times.slice(0, 2).every(([start], n) => times[n + 1][0] < start);
  assert(back, "the clock was not set back");
  for (const [start, end] of times) assert(start <= end, "an exchange ended before it began");
  const { receipts } = await (await fetch(`http://${again.listen}/api/receipts`)).json();
  assertEquals(
    receipts.map(({ id }: { id: string }) => id),
    list.map(({ id }) => id).toReversed(),
  );
});
