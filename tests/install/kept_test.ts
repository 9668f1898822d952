/** What somebody else made or changed stays, and what is somebody else's stops an installation. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CleanRoot } from "./clean_root.ts";
import { compiledProgram, withText } from "./compiled.ts";
import { changed } from "./upper.ts";

const CONFIG = "/etc/vei/vei.toml";
const MAN = "/usr/local/share/man/man1/vei.1";
const COMPLETION = "/usr/local/share/zsh/site-functions/_vei";
const POLICY = "/etc/vei/policies/hateless.toml";
const INSTALL = ["install", "--no-setup"];

Deno.test("a changed configuration survives; a new default is laid beside it", async () => {
  await using root = await CleanRoot.make();
  const program = await root.put(await compiledProgram(), "vei");
  await root.must([program, ...INSTALL]);
  const own = '# mine\n[api]\nlisten = "127.0.0.1:9999"\n';
  await Deno.writeTextFile(root.path(CONFIG), own);
  await Deno.writeTextFile(root.path(MAN), "changed by an administrator\n");

  const again = await root.run([program, ...INSTALL]);
  assertEquals(again.code, 0, again.stderr);
  assertStringIncludes(again.stderr, `${CONFIG}: kept (yours, left as it is)`);
  assertStringIncludes(again.stderr, `${MAN}: kept (changed by somebody, left as it is)`);
  assert(!again.stderr.includes(".default"), again.stderr);

  // The same program with another default, so another default file.
  const next = "/mnt/vei-next";
  await withText(await compiledProgram(), ["127.0.0.1:8787", "127.0.0.1:8789"], root.path(next));
  const laid = await root.run([next, ...INSTALL]);
  assertEquals(laid.code, 0, laid.stderr);
  assertStringIncludes(laid.stderr, `${CONFIG}.default: made (the default of this version`);
  assertEquals(await root.read(CONFIG), own);
  assertStringIncludes(await root.read(`${CONFIG}.default`), "127.0.0.1:8789");
  const before = await root.differences();
  await root.must([next, ...INSTALL]);
  assertEquals(changed(before, await root.differences()), {});

  const gone = await root.run(["vei", "uninstall"]);
  assertEquals(gone.code, 0, gone.stderr);
  assertStringIncludes(gone.stderr, `${MAN}: kept: somebody changed it`);
  assertEquals(await root.read(CONFIG), own);
  assertEquals(await root.read(MAN), "changed by an administrator\n");
  const left = await root.run(["ls", `${CONFIG}.default`, COMPLETION, "/usr/local/lib/vei"]);
  assertEquals([left.code, left.stdout], [2, ""]);
});

Deno.test("a changed policy survives, and a new version's is laid beside it; others are renewed", async () => {
  await using root = await CleanRoot.make();
  const program = await root.put(await compiledProgram(), "vei");
  await root.must([program, ...INSTALL]);
  const shipped = await root.read(POLICY), own = shipped.replace('["hate"]', '["hate", "spite"]');
  await Deno.writeTextFile(root.path(POLICY), own);
  const again = await root.run([program, ...INSTALL]);
  assertEquals(again.code, 0, again.stderr);
  assertStringIncludes(again.stderr, `${POLICY}: kept (changed by somebody, left as it is)`);
  assert(!again.stderr.includes(".default"), again.stderr);
  const judged = await root.run(["vei", "filter", "hateless"], { timeoutMs: 60_000 });
  assertEquals(judged.code, 0, judged.stderr);
  assertEquals(await root.must(["vei", "policy", "show", "hateless"]), own);

  // The same program with another text of two policies.
  const steps: [string, string][] = [
    ['description = "The word ', 'description = "THE WORD '],
    ['description = "Everything ', 'description = "EVERYTHING '],
  ];
  let next = await compiledProgram();
  for (const [i, words] of steps.entries()) {
    await withText(next, words, root.path(`/mnt/vei-${i}`));
    next = root.path(`/mnt/vei-${i}`);
  }
  const laid = await root.run(["/mnt/vei-1", ...INSTALL]);
  assertEquals(laid.code, 0, laid.stderr);
  assertStringIncludes(laid.stderr, `${POLICY}.default: made (the default of this version`);
  assertStringIncludes(laid.stderr, "/etc/vei/policies/open.toml: replaced");
  assertEquals(await root.read(POLICY), own);
  assertEquals(await root.read(`${POLICY}.default`), shipped.replace(...steps[0]));
  const before = await root.differences();
  await root.must(["/mnt/vei-1", ...INSTALL]);
  assertEquals(changed(before, await root.differences()), {});

  const gone = await root.run(["vei", "uninstall"]);
  assertEquals(gone.code, 0, gone.stderr);
  assertStringIncludes(gone.stderr, `${POLICY}: kept: somebody changed it`);
  assertEquals(await root.must(["ls", "/etc/vei/policies"]), "hateless.toml\n");
  assertEquals(await root.read(POLICY), own);
  await root.must([program, "uninstall", "--purge"]);
  assertEquals((await root.run(["ls", "/etc/vei"])).code, 2);
});

Deno.test("a program or a user of somebody else's stops it before anything is changed", async () => {
  await using root = await CleanRoot.make();
  const program = await root.put(await compiledProgram(), "vei");
  const refuse = async (name: string, words: string) => {
    const before = await root.differences();
    const { code, stderr } = await root.run([program, ...INSTALL]);
    assertEquals(code, 73, stderr);
    assertStringIncludes(stderr, `[${name}]`);
    assertStringIncludes(stderr, words);
    assertEquals(changed(before, await root.differences()), {}, stderr);
  };
  await root.must(["useradd", "--system", "--uid", "64321", "other"]);
  await refuse("user-taken", "The user number 64321 belongs to other");
  await root.must(["userdel", "other"]);
  await root.must(["groupadd", "--system", "--gid", "64999", "vei-vm"]);
  await refuse("user-taken", "The group vei-vm has the number 64999");
  await root.must(["groupdel", "vei-vm"]);
  await root.must(["ln", "-s", "/usr/bin/true", "/usr/local/bin/vei"]);
  await refuse("file-foreign", "is no regular file");
  await root.must(["rm", "/usr/local/bin/vei"]);
  await root.must(["cp", "/usr/bin/true", "/usr/local/bin/vei"]);
  await refuse("file-foreign", "vei install did not put it there");
});

Deno.test("only root installs; everybody may ask what would be done", async () => {
  await using root = await CleanRoot.make();
  const program = await root.put(await compiledProgram(), "vei");
  const before = await root.differences();
  const nobody = ["setpriv", "--reuid", "65534", "--clear-groups", program];
  for (const command of [["install"], ["uninstall"], ["upgrade", program]]) {
    const { code, stderr } = await root.run([...nobody, ...command]);
    assertEquals([code, /\[[a-z-]+\]/.exec(stderr)?.[0]], [77, "[not-root]"], stderr);
  }
  const plan = await root.run([program, "install", "--plan"]);
  assertEquals(plan.code, 0, plan.stderr);
  assertStringIncludes(plan.stdout, "/usr/local/bin/vei: will be made");
  const json = JSON.parse(await root.must([program, "install", "--plan", "--json"]));
  assertEquals([json.changes, json.users[0].action], [true, "make"]);
  assertEquals(changed(before, await root.differences()), {});
});
