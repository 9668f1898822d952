import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { vei, veiCommand } from "../tools/vei.ts";

/** With a policy that is compiled at once. */
const MOCK = ["--model", "mock", "--policy", "hateless"];

async function inState(body: (state: string) => Promise<void>): Promise<void> {
  const state = await Deno.makeTempDir({ prefix: "vei-ask-" });
  try {
    await body(state);
  } finally {
    await Deno.remove(state, { recursive: true });
  }
}

Deno.test("ask, receipts and verify, without root, daemon or virtual machine", () =>
  inState(async (state) => {
    await Deno.chmod(state, 0o777);
    const common = ["--state", `${state}/s`];
    // Also as another user than root, whom the state folder then belongs to.
    const wrap = Deno.uid() === 0 ? ["setpriv", "--reuid", "65534", "--clear-groups"] : [];
    const env = { HOME: state, DENO_DIR: Deno.env.get("DENO_DIR") ?? `${state}/deno` };
    const run = (...args: string[]) =>
      vei([...args, ...common], Deno.env.has("VEI_BINARY") ? { wrap, env } : {});

    const told = await run("ask", ...MOCK, "Hello é world");
    assertEquals([told.code, told.stdout], [0, "Hello é world\n"]);
    assertMatch(told.stderr, /^receipt [0-9a-f-]{36}\n.*without a gate in the kernel/);
    const stopped = await run("ask", ...MOCK, "They all HATE it");
    assertEquals([stopped.code, stopped.stdout], [3, "They all \n"]);
    assertStringIncludes(stopped.stderr, "aborted by the monitor, rule hate at byte 12");

    const list = JSON.parse((await run("receipt", "list", "--json")).stdout);
    assertEquals(list.map((one: { verdict: { outcome: string } }) => one.verdict.outcome), [
      "completed",
      "aborted",
    ]);
    const [key] = (await run("receipt", "key")).stdout.split("\n");
    assertMatch(key, /^[0-9a-f]{64}$/);
    const file = `${state}/receipt.json`;
    const exported = await run("receipt", "export", list[1].id);
    await Deno.writeTextFile(file, exported.stdout);
    assertStringIncludes((await vei(["verify", "--key", key, file])).stdout, ": VALID, ");
    assertEquals((await run("verify", file)).code, 0);

    const other = "ab".repeat(31) + "cd";
    const unknown = await vei(["verify", "--key", other, file]);
    assertEquals(unknown.code, 2);
    assertMatch(unknown.stdout, /UNVERIFIABLE: .*signer [0-9a-f]{64}\n/);

    const bytes = await Deno.readFile(file);
    bytes[bytes.length >> 1] ^= 1;
    await Deno.writeFile(file, bytes);
    const changed = await vei(["verify", "--key", key, file]);
    assertEquals(changed.code, 1);
    assertStringIncludes(changed.stdout, "INVALID");
  }));

Deno.test("--policy: whoever runs the monitor may choose what it enforces", () =>
  inState(async (state) => {
    const ask = (policy: string) =>
      vei(["ask", "--model", "mock", "--state", state, "--policy", policy, "I hate a café"]);
    const chosen = await ask("printable");
    assertEquals([chosen.code, chosen.stdout], [3, "I hate a caf\n"]);
    const file = `${state}/own.toml`;
    await Deno.writeTextFile(
      file,
      'name="own"\nversion="1"\ndescription="d"\n[[forbid]]\nid="a"\nwords=[" a "]\n',
    );
    assertEquals((await ask(file)).stdout, "I hate\n");
    const none = await ask("nothing");
    assertEquals([none.code, none.stdout], [78, ""]);
    assertStringIncludes(none.stderr, "[policy-unknown]");
  }));

Deno.test("control bytes of a model never reach the terminal", () =>
  inState(async (state) => {
    const { stdout } = await vei([
      "ask",
      ...MOCK,
      "--state",
      state,
      "a\x1b[31mb\x9bc\rd",
    ]);
    assertEquals(stdout, "a\ufffd[31mb\ufffdc\ufffdd\n");
  }));

Deno.test("what is wrong with a key file is told, and nothing is answered", () =>
  inState(async (state) => {
    const ask = () => vei(["ask", ...MOCK, "--state", state, "hello"]);
    assertEquals((await ask()).code, 0);
    const key = `${state}/node.key`;
    assertEquals((await Deno.stat(key)).mode! & 0o777, 0o600);
    const good = await Deno.readTextFile(key);
    const refused = async (code: string) => {
      const { code: exit, stdout, stderr } = await ask();
      assertEquals([exit, stdout], [78, ""], stderr);
      assertStringIncludes(stderr, `[${code}]`);
    };
    await Deno.chmod(key, 0o644);
    await refused("key-mode");
    await Deno.remove(key);
    await refused("key-missing");
    await Deno.writeTextFile(key, good.replace("MC4", "MC5"), { mode: 0o600 });
    await refused("key-unreadable");
    await Deno.remove(key);
    const fresh = `${state}/other`;
    await vei(["ask", ...MOCK, "--state", fresh, "hello"]);
    await Deno.copyFile(`${fresh}/node.key`, key);
    await Deno.chmod(key, 0o600);
    await refused("key-replaced");
    await Deno.writeTextFile(key, good);
    assertEquals((await ask()).code, 0);
  }));

Deno.test("without a daemon or model, with a wrong one, or without a prompt: an error", async () => {
  for (
    const [args, exit] of [
      [["ask", "--instance", "tnone", "hello"], 69],
      [["ask", "--model", "ftp://x", "hello"], 64],
      [["ask", "--model", "mock"], 65],
      [["ask", "--model", "mock", "--max-tokens", "0", "hello"], 64],
    ] as const
  ) assertEquals((await vei([...args])).code, exit, args.join(" "));
});

Deno.test("the prompt may come on standard input", () =>
  inState(async (state) => {
    const [program, ...before] = veiCommand();
    const child = new Deno.Command(program, {
      args: [...before, "ask", "--model", "mock", "--state", state],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("from a pipe"));
    await writer.close();
    const { code, stdout } = await child.output();
    assertEquals([code, new TextDecoder().decode(stdout)], [0, "from a pipe\n"]);
  }));
