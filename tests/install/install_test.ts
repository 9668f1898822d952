/** `vei install` and `vei uninstall` on a machine of their own. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { shippedPolicies, shippedPolicy } from "../../diodes/shipped.ts";
import { CleanRoot } from "./clean_root.ts";
import { compiledProgram } from "./compiled.ts";
import { changed } from "./upper.ts";

/** What an installation is, where no systemd runs. */
const INSTALLED = [
  "/etc/vei",
  "/etc/vei/policies",
  ...shippedPolicies().map((name) => `/etc/vei/policies/${name}.toml`).toSorted(),
  "/etc/vei/vei.toml",
  "/usr/local/bin/vei",
  "/usr/local/lib/vei",
  "/usr/local/lib/vei/installed.json",
  "/usr/local/share/bash-completion/completions/vei",
  "/usr/local/share/fish/vendor_completions.d/vei.fish",
  "/usr/local/share/man/man1/vei.1",
  "/usr/local/share/zsh/site-functions/_vei",
];
/** The user databases, and the copies of them that useradd(8) and userdel(8) keep. */
const USERS = /^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-?$/;

const INSTALL = ["install", "--no-setup"];

Deno.test("installs, twice; uninstalls, twice; what was there before is there again", async () => {
  await using root = await CleanRoot.make();
  const program = await root.put(await compiledProgram(), "vei");
  const before = await root.differences();

  const first = await root.run([program, ...INSTALL]);
  assertEquals(first.code, 0, first.stderr);
  const after = await root.differences();
  const made = Object.keys(changed(before, after)).filter((path) => !USERS.test(path));
  const folders = (path: string) => after.get(path)?.type === "d" && !INSTALLED.includes(path);
  assertEquals(made.filter((path) => !folders(path)), INSTALLED);
  assertEquals(after.get("/usr/local/bin/vei")?.mode, "755");
  assertEquals(
    (await root.must(["getent", "passwd", "vei-vm"])).trim(),
    "vei-vm:x:64321:64321:VEI's virtual machine:/nonexistent:/usr/sbin/nologin",
  );
  assertStringIncludes(await root.must(["vei", "version"]), "vei 0");
  assertEquals(await root.read("/etc/vei/policies/secrets.toml"), shippedPolicy("secrets"));
  const listed = JSON.parse(await root.must(["vei", "policy", "list", "--json"]));
  assertEquals(
    listed.map((
      { name, from, error, default: chosen }: Record<string, unknown>,
    ) => [name, from, error, chosen]),
    shippedPolicies().toSorted().map((name) => [name, "installed", null, name === "secrets"]),
  );
  await root.must(["bash", "-n", "/usr/local/share/bash-completion/completions/vei"]);

  const second = await root.run(["vei", ...INSTALL]);
  assertEquals(second.code, 0, second.stderr);
  assertStringIncludes(second.stderr, "/etc/vei/vei.toml: unchanged");
  assertStringIncludes(second.stderr, "Everything was in its place");
  assertEquals(changed(after, await root.differences()), {});

  // Leaves the compiled policy in root's cache.
  await root.must(["vei", "filter", "reality-only"]);
  assert((await Deno.stat(root.path("/var/cache/vei/policies"))).isDirectory);

  const gone = await root.run(["vei", "uninstall"]);
  assertEquals(gone.code, 0, gone.stderr);
  const left = changed(before, await root.differences());
  assertEquals(
    Object.keys(left).filter((path) => !/^\/etc\/.*-$/.test(path)),
    ["/etc/vei", "/etc/vei/vei.toml"],
    gone.stderr,
  );
  assertStringIncludes(gone.stderr, "/etc/vei/vei.toml: kept");
  assertEquals((await root.run(["getent", "passwd", "64321"])).code, 2);

  const again = await root.run([program, "uninstall"]);
  assertEquals(again.code, 0, again.stderr);
  assertStringIncludes(again.stderr, "Nothing that vei install put there was left");
  const purged = await root.run([program, "uninstall", "--purge"]);
  assertEquals(purged.code, 0, purged.stderr);
  const rest = Object.keys(changed(before, await root.differences()));
  assertEquals(rest.filter((path) => !/^\/etc\/.*-$/.test(path)), []);
  assert(!(await root.run(["ls", "/run/vei-install"])).stdout);
});

Deno.test("waits for another installation that ends soon, and says so of one that does not", async () => {
  await using root = await CleanRoot.make();
  const program = await root.put(await compiledProgram(), "vei");
  await root.must(["mkdir", "--mode=700", "/run/vei-install"]);
  const held = async (seconds: number) => {
    const other = root.start(["flock", "-o", "/run/vei-install/lock", "sleep", String(seconds)]);
    void other.output();
    while ((await root.run(["flock", "-n", "/run/vei-install/lock", "true"])).code === 0);
    return other;
  };
  const other = await held(60);
  const refused = await root.run([program, ...INSTALL]);
  assertEquals(refused.code, 75, refused.stderr);
  assertStringIncludes(refused.stderr, "[install-locked]");
  other.kill("SIGKILL");
  await other.status;
  await held(2);
  const done = await root.run([program, ...INSTALL]);
  assertEquals(done.code, 0, done.stderr);
});
