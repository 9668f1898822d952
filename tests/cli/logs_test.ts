import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { until } from "../tools/daemon.ts";
import { PlainPlace } from "../tools/plain_daemon.ts";
import { startVei, vei, veiCommand } from "../tools/vei.ts";

interface Event {
  id: number;
  kind: string;
  message: string;
}

/** A `vei logs` that goes on. */
class Follower {
  out = "";
  err = "";
  readonly ended: Promise<Deno.CommandStatus>;

  constructor(readonly child: Deno.ChildProcess) {
    const read = async (stream: ReadableStream<Uint8Array>, take: (text: string) => void) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) take(text);
    };
    const pipes = Promise.all([
      read(child.stdout, (text) => this.out += text),
      read(child.stderr, (text) => this.err += text),
    ]);
    this.ended = Promise.all([child.status, pipes]).then(([status]) => status);
  }

  sees(what: string, count = 1): Promise<true> {
    return until(what, () => this.out.split(what).length > count || null, {
      ms: 20_000,
      log: () => `${this.out}\n${this.err}`,
    });
  }
}

/** @returns what a command of this place says, which must succeed. */
async function says(place: PlainPlace, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await vei([...args, ...place.words]);
  assertEquals([code, stderr], [0, ""], args.join(" "));
  return stdout;
}

Deno.test("kept events: as lines, as JSON lines, from a number or a time on", async () => {
  await using place = new PlainPlace();
  const daemon = await place.serve("mock");
  const answer = await daemon.ask(false);
  const receipt = answer.headers.get("vei-receipt");
  await answer.text();

  assertMatch(
    await says(place, "logs"),
    /^20\S+Z daemon {3}serving the model mock .*\n20\S+Z exchange exchange \S+ completed \(stop\)\n$/,
  );
  const events: Event[] = (await says(place, "logs", "--json")).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  assertEquals(events.map(({ id, kind }) => [id, kind]), [[1, "daemon"], [2, "exchange"]]);
  assertStringIncludes(events[1].message, receipt!);
  assertEquals((await says(place, "logs", "--since", "2")).split("\n").length, 2);
  assertEquals((await says(place, "logs", "--since", "1 h")).split("\n").length, 3);
  assertEquals(await says(place, "logs", "--since", "2099-01-01"), "");
  const bad = await vei(["logs", "--since", "once", ...place.words]);
  assertEquals([bad.code, bad.stdout], [64, ""]);
  await place.stop();
});

Deno.test("-f goes on, says when the daemon has gone, finds the next one, ends on Ctrl-C", async () => {
  await using place = new PlainPlace();
  const first = await place.serve("mock");
  const follower = new Follower(startVei(["logs", "-f", ...place.words]));
  try {
    await follower.sees("serving the model");
    await (await first.ask(false)).text();
    await follower.sees("completed (stop)");
    await first.end("SIGKILL");
    await until("the loss", () => follower.err.includes("waiting for it") || null, {
      ms: 20_000,
      log: () => follower.err,
    });
    const second = await place.serve("mock");
    await follower.sees("serving the model", 2);
    assertStringIncludes(follower.err, `a new daemon runs, pid ${second.child.pid}`);
    await (await second.ask(false)).text();
    await follower.sees("completed (stop)", 2);
    // One that is asked to end closes its stream first, and is not taken for a new one.
    await second.end("SIGTERM");
    await until("the second loss", () => follower.err.split("waiting for it").length > 2 || null, {
      ms: 20_000,
      log: () => follower.err,
    });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assertEquals(follower.err.split("a new daemon runs").length, 2, follower.err);
  } finally {
    follower.child.kill("SIGINT");
  }
  assertEquals((await follower.ended).code, 0, follower.err);
  assert(!follower.err.includes("Error"), follower.err);
});

Deno.test("-f ends without a word when its reader has gone", async () => {
  await using place = new PlainPlace();
  const daemon = await place.serve("mock");
  const words = [...veiCommand(), "logs", "-f", ...place.words].map((word) => `'${word}'`).join(
    " ",
  );
  const shell = new Deno.Command("bash", {
    args: ["-c", `${words} | head -n 1; echo "\${PIPESTATUS[0]}"`],
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  let ended = false;
  const output = shell.output().finally(() => ended = true);
  // The reader goes after the first line; the next event finds that out.
  while (!ended) {
    await (await daemon.ask(false)).text();
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const { stdout, stderr } = await output;
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertMatch(text(stdout), /^20\S+Z daemon .*\n0\n$/);
  assertEquals(text(stderr), "");
  await place.stop();
});

Deno.test("without a daemon: exit 69, and where its log is", async () => {
  await using place = new PlainPlace();
  for (const args of [["logs"], ["logs", "-f"], ["logs", "--json"]]) {
    const { code, stderr } = await vei([...args, ...place.words]);
    assertEquals(code, 69);
    assertMatch(stderr, /\[daemon-not-running\]\n {5}(what it logged|`journalctl -u vei`)/);
  }
});
