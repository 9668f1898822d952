/** `vei diode attach` on a container's veth: real traffic, replacement, refusals, kill -9, the end. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { XDP } from "../../ffi/bpf_program.ts";
import { openLibraries } from "../../ffi/native.ts";
import { isUp, setUp } from "../../ffi/netdev.ts";
import { linkState } from "../../ffi/rtnetlink.ts";
import { XdpLink } from "../../ffi/xdp_link.ts";
import { type Instance, instanceOf } from "../../src/host/instance.ts";
import { leftOvers } from "../tools/left_overs.ts";
import { freshName, type Ran, startVei, vei } from "../tools/vei.ts";
import { constantProgram } from "./bpf_support.ts";
import { BOX_IP, CONTAINER_IP, PORT, VethWorld } from "./veth_world.ts";

openLibraries();

/** A veth pair and an instance of VEI in the box. */
class World implements AsyncDisposable {
  readonly veth = new VethWorld();
  readonly instance: Instance;
  private readonly wrap = ["nsenter", `--net=${this.veth.box}`];

  private constructor(private readonly folder: string) {
    this.instance = instanceOf(freshName(), { state: `${folder}/state` });
  }

  static async make(): Promise<World> {
    return new World(await Deno.makeTempDir({ prefix: "vei-test-" }));
  }

  private words(words: string[]): string[] {
    const { name, state } = this.instance;
    const [verb, ...rest] = words;
    return ["diode", verb, "--json", "--instance", name, "--state", state, ...rest];
  }

  run(...words: string[]): Promise<Ran> {
    return vei(this.words(words), { wrap: this.wrap });
  }

  start(...words: string[]): Deno.ChildProcess {
    return startVei(this.words(words), { wrap: this.wrap });
  }

  /** @returns the words of an attach to the box's end. */
  attach(diode: string, ...more: string[]): string[] {
    const ends = ["--from", `${CONTAINER_IP}:${PORT}`, "--to", BOX_IP];
    return ["attach", diode, "--dev", this.veth.outer, ...ends, ...more];
  }

  // deno-lint-ignore no-explicit-any
  async json(...words: string[]): Promise<any> {
    const ran = await this.run(...words);
    assertEquals(ran.code, 0, ran.stderr);
    return JSON.parse(ran.stdout);
  }

  async refused(code: number, says: RegExp, ...words: string[]): Promise<void> {
    const ran = await this.run(...words);
    assertEquals(ran.code, code, ran.stderr);
    assertMatch(ran.stderr, says);
  }

  /** A diode's file. @returns its path. */
  diode(name: string, predicate: string): string {
    const path = `${this.folder}/${name}.toml`;
    const text = `name = "${name}"\ndescription = "a test's"\nscope = "packet"\n`;
    Deno.writeTextFileSync(path, `${text}predicate = '${predicate}'\n`);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("detach");
    this.veth[Symbol.dispose]();
    await Deno.remove(this.folder, { recursive: true });
    assertEquals(await leftOvers(this.instance), []);
  }
}

Deno.test("a container's veth: clean text comes through, a forbidden word does not", async () => {
  await using world = await World.make();
  const { veth } = world;
  assertEquals(await veth.ask("I hate rain"), "I hate rain");
  await world.refused(66, /\[diode-absent\]/, "status");

  const first = await world.json(...world.attach("hateless"));
  assertEquals([first.diode, first.how, first.interface], ["hateless", "attached", veth.outer]);
  assert(first.frozen && first.verifiedInstructions > 1000, JSON.stringify(first));
  assertEquals(await veth.ask("good morning"), "good morning");
  assertEquals(await veth.ask("I hate rain"), "");
  const status = await world.json("status");
  assert(status.counters.pass >= 1 && status.counters.predicate >= 1, JSON.stringify(status));
  assertEquals([status.linkId, status.interface], [first.linkId, veth.outer]);
  const [event] = (await world.run("logs")).stdout.split("\n").filter((line) =>
    line.includes('"predicate"')
  ).map((line) => JSON.parse(line));
  assertEquals([event.drop.source, event.drop.sourcePort], [CONTAINER_IP, PORT]);

  const again = await world.json(...world.attach("hateless"));
  assertEquals([again.how, again.linkId, again.programId], [
    "adopted",
    first.linkId,
    first.programId,
  ]);
  const other = world.diode("rainless", 'not contains "rain" within 512');
  const replaced = await world.json(...world.attach(other));
  assertEquals([replaced.how, replaced.linkId], ["replaced", first.linkId]);
  assertEquals(await veth.ask("I hate snow"), "I hate snow");
  assertEquals(await veth.ask("rain"), "");

  // Behind this interface stands no monitor: what a policy's diode leaves out is said.
  const policy = await world.run(...world.attach("policy:json-only"));
  assertEquals(policy.code, 0, policy.stderr);
  assertMatch(policy.stderr, /^policy:json-only does not enforce json: what it requires is a form/);
  assertEquals(JSON.parse(policy.stdout).policy.held.length, 1);

  const detached = await world.json("detach");
  assertEquals(detached, { detached: true, linkId: first.linkId, down: veth.outer });
  assertEquals(veth.inside(() => isUp(veth.outer)), false);
  await world.refused(66, /\[diode-absent\]/, "detach");
});

Deno.test("without a port any port may speak, and nobody else", async () => {
  await using world = await World.make();
  const { veth } = world;
  const to = ["--dev", veth.outer, "--to", BOX_IP];
  await world.json("attach", "hateless", "--from", CONTAINER_IP, ...to);
  assertEquals(await veth.ask("any port"), "any port");
  await world.json("attach", "hateless", "--from", `${CONTAINER_IP}:81`, ...to);
  assertEquals(await veth.ask("another port"), "");
  await world.json("attach", "hateless", "--from", "10.77.0.3", ...to);
  assertEquals(await veth.ask("another address"), "");
  const { counters } = await world.json("status");
  assert(counters.address >= 1 && counters.pass === 0, JSON.stringify(counters));
});

Deno.test("what is refused: no interface, a taken hook, one guarded already, wrong words", async () => {
  await using world = await World.make();
  await using second = await World.make();
  const { veth } = world;
  const ends = ["--from", CONTAINER_IP, "--to", BOX_IP];
  await world.refused(66, /no interface nosuch/, "attach", "hateless", "--dev", "nosuch", ...ends);
  await world.refused(64, /--dev is missing/, "attach", "hateless", ...ends);
  await world.refused(64, /name one diode/, "attach", "--dev", veth.outer, ...ends);
  await world.refused(64, /"1.2.3" is not/, ...world.attach("hateless", "--to", "1.2.3"));
  await world.refused(64, /IP:PORT/, ...world.attach("hateless", "--from", "1.2.3.4:x"));
  await world.refused(78, /\[diode-unknown\]/, ...world.attach("nosuch"));
  await world.refused(78, /\[diode-unreadable\]/, ...world.attach("./nosuch.toml"));
  {
    using program = constantProgram(XDP.pass);
    using link = veth.inside(() => XdpLink.attach(program, linkState(veth.outer)!.index));
    const { id, programId } = link.info();
    const says = new RegExp(`program ${programId}\\b[^]*ip -d link`);
    await world.refused(75, says, ...world.attach("hateless"));
    assertEquals(link.info().id, id);
    link.detach();
  }
  const { linkId } = await world.json(...world.attach("hateless"));
  const { name, state } = second.instance;
  const says = new RegExp(`guarded already, by the diode of the instance ${world.instance.name}`);
  const theirs = ["--instance", name, "--state", state];
  await world.refused(75, says, ...world.attach("hateless", ...theirs));
  // One instance, one interface.
  const elsewhere = [...world.attach("hateless"), "--dev", "lo"];
  await world.refused(75, /\[diode-elsewhere\]/, ...elsewhere);
  assertEquals((await world.json("status")).linkId, linkId);
});

Deno.test("--watch: kill -9 leaves the diode, the next one adopts it; what is changed goes down", async () => {
  await using world = await World.make();
  const { veth } = world;
  const loader = await Watcher.start(world, world.attach("hateless", "--watch"));
  await world.refused(75, /\[state-locked\]/, "detach");
  assertEquals(await veth.ask("I hate rain"), "");
  assertMatch(await loader.until(/"predicate"/), /predicate/);
  loader.child.kill("SIGKILL");
  await loader.end();
  assertEquals(await veth.ask("I hate rain"), "");
  assertEquals(await veth.ask("I love rain"), "I love rain");

  const next = await Watcher.start(world, world.attach("hateless", "--watch"));
  assertEquals([next.first.how, next.first.linkId], ["adopted", loader.first.linkId]);
  {
    using link = XdpLink.fromPin(`${world.instance.pins}/link`);
    link.detach();
  }
  const { code, stderr } = await next.end();
  assertEquals(code, 69, stderr);
  assertMatch(stderr, /\[diode-lost\]/);
  assertEquals(veth.inside(() => isUp(veth.outer)), false);

  veth.inside(() => setUp(veth.outer, true));
  const third = await Watcher.start(world, world.attach("hateless", "--watch"));
  assertEquals(third.first.how, "attached");
  third.child.kill("SIGTERM");
  assertEquals((await third.end()).code, 0);
  assertEquals((await world.json("status")).linkId, third.first.linkId);
});

Deno.test("an interface that vanishes and returns is guarded again when asked, not before", async () => {
  await using world = await World.make();
  const { veth } = world;
  const first = await world.json(...world.attach("hateless"));
  veth.disconnect();
  assertEquals((await world.json("status")).interface, null);
  await world.refused(66, /no interface/, ...world.attach("hateless"));
  veth.connect();
  assertEquals((await world.json("status")).ifindex, 0);
  const second = await world.json(...world.attach("hateless"));
  assertEquals(second.how, "attached");
  assert(second.linkId !== first.linkId);
  assertEquals(await veth.ask("I hate rain"), "");
  veth.disconnect();
  assertEquals((await world.json("detach")).down, null);
});

/** An attach that stays. */
class Watcher {
  private text = "";
  private errors = "";
  private readonly reading: Promise<unknown>;
  // deno-lint-ignore no-explicit-any
  first: any;

  private constructor(readonly child: Deno.ChildProcess) {
    const read = async (from: ReadableStream<Uint8Array>, add: (text: string) => void) => {
      for await (const text of from.pipeThrough(new TextDecoderStream())) add(text);
    };
    this.reading = Promise.all([
      read(child.stdout, (text) => this.text += text),
      read(child.stderr, (text) => this.errors += text),
    ]);
  }

  static async start(world: World, words: string[]): Promise<Watcher> {
    const watcher = new Watcher(world.start(...words));
    await watcher.until(/\n/);
    watcher.first = JSON.parse(watcher.text.split("\n")[0]);
    return watcher;
  }

  /** @returns what it has said, as soon as that matches. */
  async until(says: RegExp): Promise<string> {
    for (let tries = 0; tries < 200; tries++) {
      if (says.test(this.text)) return this.text;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    this.child.kill("SIGKILL");
    throw new Error(`it never said ${says}: ${this.text}${this.errors}`);
  }

  async end(): Promise<{ code: number; stderr: string }> {
    const { code } = await this.child.status;
    await this.reading;
    return { code, stderr: this.errors };
  }
}
