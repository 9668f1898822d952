/** `vei upgrade` where no systemd runs: what it refuses, what it keeps, and the way back. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { until } from "../tools/daemon.ts";
import type { Ran } from "../tools/vei.ts";
import { CleanRoot } from "./clean_root.ts";
import { compiledProgram, currentVersion, withVersion } from "./compiled.ts";
import { changed } from "./upper.ts";

const PREVIOUS = "/usr/local/lib/vei/vei.previous";
const NEWER = "9.9.9", OLDER = "0.0.0";

interface Installed extends AsyncDisposable {
  root: CleanRoot;
  /** The program that is installed, and the same one with another version. */
  program: string;
  other(version: string): Promise<string>;
  upgrade(...args: string[]): Promise<Ran>;
}

async function installed(): Promise<Installed> {
  const root = await CleanRoot.make();
  const program = await root.put(await compiledProgram(), "vei");
  await root.must([program, "install", "--no-setup"]);
  return {
    root,
    program,
    async other(version) {
      const inside = `/mnt/vei-${version}`;
      await withVersion(await compiledProgram(), version, root.path(inside));
      return inside;
    },
    upgrade: (...args) => root.run(["vei", "upgrade", ...args]),
    [Symbol.asyncDispose]: () => root[Symbol.asyncDispose](),
  };
}

async function versionIn(root: CleanRoot, program = "vei"): Promise<string> {
  return JSON.parse(await root.must([program, "version", "--json"])).vei;
}

async function sha256In(root: CleanRoot, path: string): Promise<string> {
  return (await root.must(["sha256sum", path])).slice(0, 64);
}

Deno.test("a newer program takes the old one's place, and gives it back", async () => {
  await using vei = await installed();
  const { root } = vei;
  const version = await currentVersion();
  const before = await root.differences();
  const next = await vei.other(NEWER);
  const done = await vei.upgrade(next, "--sha256", await sha256In(root, next));
  assertEquals(done.code, 0, done.stderr);
  assertEquals([await versionIn(root), await versionIn(root, PREVIOUS)], [NEWER, version]);
  assertEquals(await sha256In(root, "/usr/local/bin/vei"), await sha256In(root, next));
  const changes = Object.keys(changed(before, await root.differences()));
  assertEquals(changes, [
    "/usr/local/bin/vei",
    "/usr/local/lib/vei/installed.json",
    PREVIOUS,
    "/usr/local/share/man/man1/vei.1",
  ]);

  const again = await vei.upgrade(next);
  assertEquals(again.code, 0, again.stderr);
  assertStringIncludes(again.stderr, "unchanged, it is in use already");

  const back = await vei.upgrade("--rollback");
  assertEquals(back.code, 0, back.stderr);
  assertEquals([await versionIn(root), await versionIn(root, PREVIOUS)], [version, NEWER]);
  const gone = await root.run(["vei", "uninstall", "--purge"]);
  assertEquals(gone.code, 0, gone.stderr);
  assert(!gone.stderr.includes("somebody changed"), gone.stderr);
  assertEquals((await root.run(["ls", "/usr/local/lib/vei"])).code, 2);
});

Deno.test("what is not the file that was meant, damaged, older or no vei is refused", async () => {
  await using vei = await installed();
  const { root } = vei;
  const before = await root.differences();
  const refuse = async (name: string, words: string, ...args: string[]) => {
    const { code, stderr } = await vei.upgrade(...args);
    assert(code !== 0, stderr);
    assertStringIncludes(stderr, `[${name}]`);
    assertStringIncludes(stderr, words);
    assertEquals(changed(before, await root.differences()), {}, stderr);
  };
  const next = await vei.other(NEWER);
  await refuse("digest-differs", "its SHA-256 is", next, "--sha256", "0".repeat(64));
  await refuse("program-unreadable", "/mnt/nothing", "/mnt/nothing");
  await refuse("previous-missing", PREVIOUS, "--rollback");
  await refuse("version-older", OLDER, await vei.other(OLDER));
  await root.must(["cp", next, "/mnt/short"]);
  await root.must(["truncate", "--size=-4096", "/mnt/short"]);
  await refuse("not-vei", "no vei that works", "/mnt/short");
  await refuse("not-vei", "no vei that works", "/usr/bin/true");
  await root.must(["sed", "-i", '1i unheard_of = "key"', "/etc/vei/vei.toml"]);
  before.set("/etc/vei/vei.toml", (await root.differences()).get("/etc/vei/vei.toml")!);
  await refuse("trial-failed", "unknown key unheard_of", next);
});

Deno.test("a program that tells its version and never gets ready is refused", async () => {
  await using vei = await installed();
  const { root } = vei;
  const before = await root.differences();
  const script = `#!/bin/sh\n[ "$1" = version ] && echo '{"vei":"${NEWER}"}' || exec sleep 600\n`;
  await Deno.writeTextFile(root.path("/mnt/script"), script, { mode: 0o755 });
  const { code, stderr } = await vei.upgrade("/mnt/script");
  assertEquals(code, 1, stderr);
  assertStringIncludes(stderr, "it was not ready within 30 s");
  assertEquals(changed(before, await root.differences()), {});
  const { stdout } = await root.run(["pgrep", "-x", "sleep"]);
  assertEquals(stdout, "");
});

Deno.test("a daemon that was started by hand is left alone, and its user told", async () => {
  await using vei = await installed();
  const { root } = vei;
  const daemon = root.start(["vei", "serve", "--model", "mock"]);
  await daemon.stdout.cancel();
  let log = "";
  const reading = (async () => {
    for await (const text of daemon.stderr.pipeThrough(new TextDecoderStream())) log += text;
  })();
  const endpoint = await until("the daemon", async () => {
    return await root.read("/run/vei/endpoint.json").then(JSON.parse, () => null);
  }, { log: () => log });
  const { code, stderr } = await vei.upgrade(await vei.other(NEWER));
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, `(pid ${endpoint.pid}) is still the old program`);
  const refused = await root.run(["vei", "uninstall"]);
  assertEquals(refused.code, 75, refused.stderr);
  assertStringIncludes(refused.stderr, "nothing was removed");
  assertEquals(await versionIn(root), NEWER);
  await root.must(["kill", String(endpoint.pid)]);
  await daemon.status;
  await reading;
  await root.must(["vei", "uninstall"]);
});
