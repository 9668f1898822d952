/** What the doctor says of a machine that has everything, and in which form. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { openLibraries } from "../../ffi/native.ts";
import { lockState } from "../../ffi/lock.ts";
import { createNetns, withNetns } from "../../ffi/netns.ts";
import { GROUPS } from "../../src/cli/need.ts";
import { NEED_TEXTS } from "../../src/cli/needs.ts";
import { addInterface, testInstance } from "../kernel/net_support.ts";
import { assertOnly, assertSays, Practice } from "../tools/doctor.ts";
import { startVei, vei } from "../tools/vei.ts";
import { until } from "../tools/daemon.ts";

openLibraries();

Deno.test("a machine that has everything: 0, in a form that stays", async () => {
  await using practice = await Practice.open();
  const { code, diagnosis } = await practice.examine(["--deep"]);
  assertEquals([code, diagnosis.format, diagnosis.ok], [0, 1, true]);
  assertEquals(diagnosis.needs.map(({ id }) => id), NEED_TEXTS.map(({ id }) => id));
  for (const need of diagnosis.needs) {
    assertEquals(
      Object.keys(need).sort(),
      ["found", "group", "id", "mend", "needed", "result", "wanted"],
    );
    assert(!need.needed || need.result === "yes", `${need.id}: ${need.found}`);
    assertEquals(need.mend === "", need.result === "yes", need.id);
  }
  for (const id of ["image", "model"]) {
    assertMatch(diagnosis.needs.find((need) => need.id === id)!.found, /every byte of it read/);
  }
});

Deno.test("every need has words of its own, and one group", () => {
  const ids = NEED_TEXTS.map(({ id }) => id);
  assertEquals(new Set(ids).size, ids.length);
  for (const { id, group, wanted, means, mend } of NEED_TEXTS) {
    assertMatch(id, /^[a-z][a-z0-9_-]+$/);
    assert(Object.hasOwn(GROUPS, group), id);
    for (const words of [wanted, means, mend]) assertMatch(words, /^\S[^\n]+[^\s.]$/, id);
  }
});

Deno.test("for people: a line for what is there, one that mends for what is not", async () => {
  await using practice = await Practice.open({ equipped: false });
  const { code, stdout } = await practice.run([]);
  assertEquals(code, 69, stdout);
  for (const title of Object.values(GROUPS)) assertMatch(stdout, new RegExp(`^${title}$`, "m"));
  assertMatch(stdout, /^ {2}ok {7}frozen-maps +a frozen map refused to be written$/m);
  assertMatch(
    stdout,
    /^ {2}MISSING {2}image +There is no guest image in .*\n +wanted +the guest's image\n +mend +run `vei setup`$/m,
  );
  assertMatch(stdout, /\n\nMissing: image, model\n$/);
});

Deno.test("a policy that the daemon has compiled is read, and none is kept", async () => {
  await using practice = await Practice.open({ equipped: false });
  practice.configure('[policy]\ndefault = "reality-only"\n');
  const folder = `${practice.state}/policies`;
  const policy = async () => {
    const { diagnosis } = await practice.examine();
    return diagnosis.needs.find(({ id }) => id === "policy")!.found;
  };
  const compiled = await policy();
  assertMatch(compiled, /^reality-only compiles, sha256:/);

  const filter = ["filter", "reality-only", "--state", practice.state];
  assertEquals((await vei(filter)).code, 0);
  const [{ name }] = Deno.readDirSync(folder);
  const file = await Deno.stat(`${folder}/${name}`);
  const times = () => Deno.stat(`${folder}/${name}`).then(({ atime }) => atime!.getTime());
  await Deno.utime(`${folder}/${name}`, 0, file.mtime!);
  assertEquals(await policy(), compiled);
  assert(await times() > 0, "the compiled policy was not read");
});

Deno.test("a word too many: 64", async () => {
  assertEquals((await vei(["doctor", "everything"])).code, 64);
});

Deno.test("the port, the memory and KVM: told against the configuration", async () => {
  await using practice = await Practice.open();
  practice.configure('[enclave]\nmemory = "9000 GiB"\naccel = "kvm"\n');
  using _listener = Deno.listen({ hostname: "127.0.0.1", port: practice.port });
  const finding = await practice.examine();
  assertEquals(finding.code, 69);
  assertSays(finding, {
    port: ["no", /is taken by another program/, /\[api\] listen/],
    memory: ["no", /MiB available, \d+ MiB wanted/, /\[enclave\] memory/],
  });
  const need = (id: string) => finding.diagnosis.needs.find((one) => one.id === id)!;
  assertEquals([need("kvm").needed, need("emulation").needed], [true, false]);
  const device = await Deno.stat("/dev/kvm").then(() => true, () => false);
  if (!device) assertSays(finding, { kvm: ["no", /there is no \/dev\/kvm/, /modprobe kvm/] });
});

Deno.test("a configuration that is not understood: the rest is looked at all the same", async () => {
  await using practice = await Practice.open();
  practice.configure("[enclave]\nmemroy = '1 MiB'\n");
  const finding = await practice.examine();
  assertEquals(finding.code, 69);
  const unknown = ["unknown", /cannot be read/, /config/] as const;
  assertSays(finding, {
    config: ["no", /unknown key enclave\.memroy/, /keys of this table/],
    ...{ diode: [...unknown], policy: [...unknown], port: [...unknown] },
  });
  assertOnly(finding, "config", "diode", "policy", "port");
  assertEquals((await practice.examine(["--config", "/nowhere.toml"])).code, 69);
});

Deno.test("a diode and a policy that are not there or not right", async () => {
  await using practice = await Practice.open();
  const policy = `${practice.folder}/p.toml`;
  await Deno.writeTextFile(policy, 'name = "x"\n');
  practice.configure(`[diode]\nname = "/nowhere.toml"\n[policy]\ndefault = "${policy}"\n`);
  const finding = await practice.examine();
  assertSays(finding, {
    diode: ["no", /Cannot read the diode \/nowhere\.toml/, /\[diode\] name/],
    policy: ["no", /p\.toml/, /./],
  });
  assertOnly(finding, "diode", "policy");
});

Deno.test("somebody else at work on the state folder: told with its pid, its lock stays", async () => {
  await using practice = await Practice.open();
  using _lock = lockState(practice.state);
  const finding = await practice.examine();
  assertEquals(finding.code, 69);
  const found = new RegExp(`in use by process ${Deno.pid} `);
  assertSays(finding, { instance: ["no", found, /--instance/] });
  assertOnly(finding, "instance");
  assertEquals((await practice.run(["--json"])).code, 69);
});

Deno.test("somebody else's interface in the link's namespace", async () => {
  await using practice = await Practice.open();
  using other = testInstance();
  createNetns(other.instance.netns);
  withNetns(other.instance.netns, () => addInterface("other", "bridge"));
  const finding = await practice.examine(["--instance", other.instance.name]);
  assertSays(finding, { link: ["no", /other in \/run\/netns/, /nsenter --net=/] });
  assertOnly(finding, "link");
});

Deno.test("beside a daemon: its port and its lock are its own, and it does not notice", async () => {
  await using practice = await Practice.open();
  const { instance: { name }, state, config, port } = practice;
  const common = ["--instance", name, "--state", state, "--config", config];
  const daemon = startVei(["serve", "--model", "mock", ...common]);
  const said = [daemon.stdout, daemon.stderr].map((stream) => new Response(stream).text());
  try {
    const status = () => fetch(`http://127.0.0.1:${port}/api/status`).then((one) => one.json());
    await until("the daemon", () => status().catch(() => null));
    const before = await status();
    // The state folder changes while a daemon has it: looked at without `examine`.
    const { code, stdout } = await practice.run(["--json"]);
    const finding = { code, diagnosis: JSON.parse(stdout), stderr: "" };
    assertEquals(code, 0, stdout);
    assertSays(finding, {
      port: ["yes", /is the running daemon's/, /^$/],
      instance: ["yes", new RegExp(`held by the running daemon, pid ${daemon.pid}`), /^$/],
      daemon: ["yes", new RegExp(`^ready, pid ${daemon.pid}`), /^$/],
    });
    assertEquals((await status()).pid, before.pid);
  } finally {
    daemon.kill("SIGTERM");
    assertEquals((await daemon.status).code, 0, (await Promise.all(said)).join("\n"));
  }
});
