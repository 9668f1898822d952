/** `vei diode attach` beyond the enclave: neighbours, servers without HTTP, replacement under load. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { openLibraries } from "../../ffi/native.ts";
import { addPeer, macOf, removeAddress, setUp } from "../../ffi/netdev.ts";
import { linkState, neighboursOf } from "../../ffi/rtnetlink.ts";
import { type Instance, instanceOf } from "../../src/host/instance.ts";
import { leftOvers } from "../tools/left_overs.ts";
import { replaceUnderLoad } from "../tools/replace_under_load.ts";
import { freshName, type Ran, vei } from "../tools/vei.ts";
import { addInterface, setMaster } from "./net_support.ts";
import { BOX_IP, CONTAINER_IP, PORT, VethWorld } from "./veth_world.ts";

openLibraries();

/** A veth pair, and `vei` in its box. */
class World implements AsyncDisposable {
  readonly veth: VethWorld;
  readonly instance: Instance;

  private constructor(private readonly folder: string, neighbours: boolean) {
    this.veth = new VethWorld(neighbours);
    this.instance = instanceOf(freshName(), { state: `${folder}/state` });
  }

  static async make(neighbours: boolean): Promise<World> {
    return new World(await Deno.makeTempDir({ prefix: "vei-test-" }), neighbours);
  }

  run(verb: string, ...words: string[]): Promise<Ran> {
    const { name, state } = this.instance;
    const all = ["diode", verb, "--json", "--instance", name, "--state", state, ...words];
    return vei(all, { wrap: ["nsenter", `--net=${this.veth.box}`] });
  }

  attach(diode: string, ...more: string[]): Promise<Ran> {
    const ends = ["--from", `${CONTAINER_IP}:${PORT}`, "--to", BOX_IP];
    return this.run("attach", diode, "--dev", this.veth.outer, ...ends, ...more);
  }

  /** A diode's file. @returns its path. */
  diode(name: string, predicate: string): string {
    const path = `${this.folder}/${name}.toml`;
    const text = `name = "${name}"\ndescription = "a test's"\nscope = "packet"\n`;
    Deno.writeTextFileSync(path, `${text}predicate = '${predicate}'\n`);
    return path;
  }

  /** @returns the table of an end, as `ip mac`, permanent entries only. */
  table(end: "box" | "container", name: string): string[] {
    const read = () => neighboursOf(linkState(name)!.index);
    const all = end === "box" ? this.veth.inside(read) : this.veth.insideContainer(read);
    return all.filter(({ permanent }) => permanent).map(({ ip, mac }) => `${ip} ${mac}`);
  }

  mac(end: "box" | "container", name: string): string {
    const read = () => macOf(name);
    return end === "box" ? this.veth.inside(read) : this.veth.insideContainer(read);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("detach");
    this.veth[Symbol.dispose]();
    await Deno.remove(this.folder, { recursive: true });
    assertEquals(await leftOvers(this.instance), []);
  }
}

// deno-lint-ignore no-explicit-any
function told({ code, stdout, stderr }: Ran): any {
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test("--neigh: both ends find each other where ARP does not pass", async () => {
  await using world = await World.make(false);
  const { veth } = world;
  // Nobody has spoken yet: the kernel knows nobody's MAC, and --netns names no namespace.
  const unknown = await world.attach("text", "--neigh");
  assertEquals(unknown.code, 66, unknown.stdout);
  assertMatch(
    unknown.stderr,
    /knows no MAC address of 10\.77\.0\.2.*\[neighbour-unknown\]\n +--netns/,
  );
  assertEquals((await world.attach("text", "--neigh", "--netns", "/tmp")).code, 66);
  assertEquals((await world.attach("text", "--netns", veth.container)).code, 64);
  assertMatch((await world.run("status")).stderr, /diode-absent/, "it attached all the same");

  told(await world.attach("text"));
  assertEquals(await veth.ask("by ARP"), "");
  const { neighbours } = told(await world.attach("text", "--neigh", "--netns", veth.container));
  const [outer, inner] = [world.mac("box", veth.outer), world.mac("container", veth.inner)];
  assertEquals(neighbours, [
    { interface: veth.outer, netns: null, ip: CONTAINER_IP, mac: inner },
    { interface: veth.inner, netns: veth.container, ip: BOX_IP, mac: outer },
  ]);
  assertEquals(world.table("box", veth.outer), [`${CONTAINER_IP} ${inner}`]);
  assertEquals(world.table("container", veth.inner), [`${BOX_IP} ${outer}`]);
  assertEquals(await veth.ask("no ARP"), "no ARP");
  // Our own end's entry goes with the interface, the sender's stays.
  told(await world.run("detach"));
  assertEquals(world.table("box", veth.outer), []);
  assertEquals(world.table("container", veth.inner), [`${BOX_IP} ${outer}`]);
});

Deno.test("--neigh on a port of a bridge: the bridge has the address and the entry", async () => {
  await using world = await World.make(false);
  const { veth } = world;
  veth.inside(() => {
    addInterface("bridge", "bridge");
    removeAddress(veth.outer, { local: BOX_IP, peer: CONTAINER_IP, prefix: 32 });
    setMaster(veth.outer, "bridge");
    setUp("bridge", true);
    addPeer("bridge", BOX_IP, CONTAINER_IP);
  });
  const { neighbours } = told(await world.attach("text", "--neigh", "--netns", veth.container));
  assertEquals(neighbours[0].interface, "bridge");
  assertEquals(neighbours[1].mac, world.mac("box", "bridge"));
  assertEquals(await veth.ask("over a bridge", 5000), "over a bridge");
  assertEquals(await veth.ask("\x1b[2J"), "");
});

Deno.test("diodes that stop HTTP guard servers that speak bare JSON, or lines of text", async () => {
  await using world = await World.make(true);
  const { veth } = world;
  const cases = [
    ["json_prefix", ['{"answer": 42}', "[1, 2]\n"], ["HTTP/1.1 200 OK\r\n", "42"]],
    ["json", ['{"a": [1]}\n', "plain"], ['{"a": [{}]}']],
    ["minimal", ["a line of text, then\n"], ["short\n", "HTTP/1.1 200 OK\r\n"]],
  ] as const;
  for (const [diode, passes, drops] of cases) {
    told(await world.attach(diode));
    for (const text of passes) assertEquals(await veth.ask(text, 5000), text, diode);
    for (const text of drops) assertEquals(await veth.ask(text, 700), "", diode);
  }
  const { counters } = told(await world.run("status"));
  assert(counters.predicate >= 2, JSON.stringify(counters));
});

Deno.test("a diode that grows too large, and ports that are none: nothing is attached", async () => {
  await using world = await World.make(true);
  const { outer } = world.veth;
  const path = world.diode("large", "matches /a[ab]{20}c/");
  for (const ran of [await world.attach(path), await world.run("check", path)]) {
    assertEquals(ran.code, 78, ran.stderr);
    assertMatch(ran.stderr, /large\.toml.*\[diode-too-large\]\n +\S/);
  }
  const tried = await world.run("try", path, "--hex", "61");
  assertEquals(tried.code, 78, tried.stdout);
  const ends = ["--dev", outer, "--to", BOX_IP];
  for (
    const [port, says] of [
      ["65536", /there is no port 65536/],
      ["0", /--from takes IP or IP:PORT/],
      ["", /--from takes IP or IP:PORT/],
      ["80:80", /--from takes IP or IP:PORT/],
    ] as const
  ) {
    const ran = await world.run("attach", "text", ...ends, "--from", `${CONTAINER_IP}:${port}`);
    assertEquals(ran.code, 64, ran.stderr);
    assertMatch(ran.stderr, says);
  }
  assertEquals(world.veth.inside(() => linkState(outer)!.xdpProgramId), null);
});

Deno.test("replaced a hundred times under HTTP: nothing forbidden arrives, there is always a program", async () => {
  const done = await replaceUnderLoad(Number(Deno.env.get("VEI_SOAK_SECONDS") ?? 12));
  console.log(JSON.stringify(done));
  assertEquals([done.replacements, done.xdpMode], [100, "native"]);
  assert(done.clean >= 10 && done.forbidden >= 10 && done.dropped >= 10, JSON.stringify(done));
  assert(done.frames > 100 && done.looks > 200, JSON.stringify(done));
});
