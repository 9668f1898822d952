/** `vei setup` when something fails: what was there stays, nothing is left behind. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { VeiError } from "../../src/base/errors.ts";
import { installImage, namedImage } from "../../enclave/images.ts";
import { silentProgress } from "../../enclave/progress.ts";
import { addModel, setUp } from "../../enclave/setup.ts";
import { openLibraries } from "../../ffi/native.ts";
import { lockState } from "../../ffi/lock.ts";
import { startVei, vei } from "../tools/vei.ts";
import { tinyGguf } from "../tools/tiny_gguf.ts";
import { makeFakeImage, snapshot, testState, withFolder } from "./setup_support.ts";

// Before any test: Deno counts a library that is opened in a test as a leak.
openLibraries();

const quiet = silentProgress();

/** A state with a model and with an image of another recipe, so that set-up wants to build one. */
async function oldState(state: string): Promise<Record<string, string>> {
  await makeFakeImage(`${state}/built`);
  await installImage(state, `${state}/built`);
  await Deno.writeFile(`${state}/x.gguf`, tinyGguf());
  await addModel(state, { name: "x", from: `${state}/x.gguf` }, quiet);
  await Deno.remove(`${state}/x.gguf`);
  return await what(state);
}

async function what(state: string): Promise<Record<string, string>> {
  return { ...await snapshot(`${state}/images`), ...await snapshot(`${state}/models`) };
}

function leftOvers(state: string): string[] {
  const known = ["lock", "checked.json"];
  return [...Deno.readDirSync(`${state}/setup`)].map(({ name }) => name)
    .filter((name) => !known.includes(name));
}

/** A Debian mirror on a loopback port that answers with `body`. */
async function withMirror(
  answer: (path: string) => Response | Promise<Response>,
  body: (mirror: string) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen: () => {} },
    (request) => answer(new URL(request.url).pathname),
  );
  try {
    await body(`http://127.0.0.1:${server.addr.port}/debian`);
  } finally {
    stop.abort();
    await server.finished;
  }
}

Deno.test("no network, or an index that Debian did not sign: the old state stays", async () => {
  const release = "Origin: Debian\nSuite: forky\nCodename: forky\nComponents: main\n" +
    "Architectures: amd64\nDate: Sat, 01 Jan 2028 00:00:00 UTC\nSHA256:\n";
  const mirrors: ((path: string) => Response)[] = [
    () => new Response("no", { status: 503 }),
    // No signature at all: apt then asks for Release, and Release.gpg.
    (path) => new Response(release, { status: path.endsWith("/Release") ? 200 : 404 }),
    () => new Response("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n" + release),
  ];
  await withFolder(async (state) => {
    const before = await oldState(state);
    for (const mirror of mirrors) {
      await withMirror(mirror, async (url) => {
        const error = await assertRejects(() => setUp(state, { mirror: url }, quiet), VeiError);
        assertEquals([error.code, error.exit], ["packages-unavailable", 69]);
      });
      assertEquals(await what(state), before);
      assertEquals(leftOvers(state), []);
    }
  });
});

Deno.test("a set-up that is killed leaves the old state, and the next one tidies up", async () => {
  await withFolder(async (state) => {
    const before = await oldState(state);
    const asked = Promise.withResolvers<void>();
    const never = new Promise<Response>(() => {});
    await withMirror(() => (asked.resolve(), never), async (mirror) => {
      const child = startVei(["setup", "--state", state, "--mirror", mirror]);
      await asked.promise;
      const busy = await assertRejects(() => setUp(state, { mirror }, quiet), VeiError);
      assertEquals([busy.code, busy.exit], ["state-locked", 75]);
      const apt = await descendants(child.pid);
      child.kill("SIGKILL");
      await child.output();
      // Without a terminal nobody tells apt: its mirror will not answer, so it is ended here.
      for (const pid of apt) kill(pid);
    });
    assertEquals(await what(state), before);
    assertEquals(leftOvers(state), ["work"]);
    await withMirror(() => new Response("no", { status: 404 }), async (mirror) => {
      await assertRejects(() => setUp(state, { mirror }, quiet), VeiError);
    });
    assertEquals(leftOvers(state), []);
  });
});

async function descendants(pid: number): Promise<number[]> {
  const found: number[] = [];
  for await (const task of Deno.readDir(`/proc/${pid}/task`)) {
    const text = await Deno.readTextFile(`/proc/${pid}/task/${task.name}/children`).catch(() => "");
    for (const child of text.trim().split(" ").filter((word) => word !== "").map(Number)) {
      found.push(child, ...await descendants(child).catch(() => []));
    }
  }
  return found;
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended with its parent.
  }
}

Deno.test("a full disk: a clear error, and the old state stays", async () => {
  await withFolder(async (folder) => {
    const model = `${folder}/big.gguf`;
    await Deno.writeFile(model, new Uint8Array([...tinyGguf(), ...new Uint8Array(3 << 20)]));
    // A file system of 2 MiB that only these processes see, and that goes with them.
    const script = `set -e
      mount -t tmpfs -o size=2m tmpfs "$STATE"
      "$@" model add ${folder}/tiny.gguf --name tiny --state "$STATE"
      before=$(sha256sum "$STATE"/models/*)
      code=0; "$@" model add ${model} --name big --state "$STATE" --json || code=$?
      [ "$before" = "$(sha256sum "$STATE"/models/*)" ]
      [ ! -e "$STATE/setup/work" ]
      exit $code`;
    await Deno.writeFile(`${folder}/tiny.gguf`, tinyGguf());
    await Deno.mkdir(`${folder}/state`);
    const wrap = ["env", `STATE=${folder}/state`, "unshare", "--mount", "sh", "-c", script, "sh"];
    const ran = await runWords([...wrap, ...veiWords()]);
    assert(ran.stdout.includes('"disk-full"'), ran.stdout + ran.stderr);
    assertEquals(ran.code, 73);
  });
});

function veiWords(): string[] {
  const root = new URL("../../", import.meta.url).pathname;
  return [Deno.execPath(), "run", "-A", "--quiet", `${root}main.ts`];
}

async function runWords(words: string[]) {
  const [program, ...args] = words;
  const output = await new Deno.Command(program, { args, env: { NO_COLOR: "1" } }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
}

Deno.test("a second set-up with unchanged inputs does nothing, at once", async () => {
  const state = testState();
  const before = await namedImage(state);
  const began = performance.now();
  const mirror = "http://127.0.0.1:9/nowhere";
  const result = await setUp(state, { mirror }, quiet);
  const took = performance.now() - began;
  assertEquals([result.changed, result.image.digest], [false, before.digest]);
  assert(took < 1000, `${took} ms`);
});

Deno.test("a state that nobody may write to, and one that is in use, are said so", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const ran = await vei(["setup", "--state", `${folder}/file/state`]);
    assertEquals(ran.code, 73);
    assert(ran.stderr.includes("[state-unwritable]"), ran.stderr);
    using _lock = lockState(`${folder}/state/setup`);
    const busy = await vei(["model", "use", "x", "--state", `${folder}/state`]);
    assertEquals(busy.code, 75);
  });
});
