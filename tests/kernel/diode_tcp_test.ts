/**
 * A real TCP connection of the host, to which we play the guest: its socket receives exactly the
 * payloads that the judge passes, whatever else is written to the wire.
 */
import { assert, assertEquals } from "@std/assert";
import { shippedDiode } from "../../diodes/plan.ts";
import { judgePredicate } from "../../src/automaton/judgement.ts";
import { concat } from "../../src/base/bytes.ts";
import { parseDiodeFile } from "../../src/policy/diode_file.ts";
import { type Random, seeded } from "../judge/random.ts";
import { expect, judgeHateless } from "./expected.ts";
import { FLAG, type FrameSpec, LINK, serialise, spec, SYN_OPTIONS } from "./frames.ts";
import { kernelTest } from "./loaded_diode.ts";
import { TapWorld } from "./tap_world.ts";

const text = (words: string) => new TextEncoder().encode(words);
const hateless = () =>
  judgePredicate(parseDiodeFile(shippedDiode("hateless"), "hateless.toml").predicate);

/** The guest's end of one connection. */
class Guest {
  /** Everything that the judge passed, in order. */
  readonly passed: Uint8Array[] = [];
  readonly reasons = new Map<string, number>();
  private sequence = 1000;
  private acknowledgement = 0;
  private destinationPort = 0;

  constructor(private readonly world: TapWorld) {}

  /** Lets the host connect: SYN, SYN+ACK, and the ACK that we need not look at. */
  async accept(): Promise<Deno.TcpConn> {
    const connecting = this.world.inside((): { promise: Promise<Deno.TcpConn> } => ({
      promise: Deno.connect({ hostname: LINK.guestIp.join("."), port: LINK.guestPort }),
    }));
    const syn = await this.hear((frame) => frame[47] === FLAG.syn);
    const view = new DataView(syn.buffer);
    this.destinationPort = view.getUint16(34);
    this.acknowledgement = (view.getUint32(38) + 1) >>> 0;
    this.send({ flags: FLAG.syn | FLAG.ack, tcpOptions: SYN_OPTIONS });
    this.sequence++;
    return await connecting.promise;
  }

  /** Writes a segment at the place in the stream where the last passed one ended. */
  send(fields: Partial<FrameSpec>): void {
    const { sequence, acknowledgement, destinationPort } = this;
    const frame = serialise(spec({ sequence, acknowledgement, destinationPort, ...fields }));
    this.world.tap.write(frame);
    this.world.discardSent();
    const { reason } = expect(frame, LINK, judgeHateless);
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
    if (reason !== "pass") return;
    this.passed.push(fields.payload!);
    this.sequence += fields.payload!.length;
  }

  /** Goes on in the stream as if so many bytes had passed. */
  skip(bytes: number): void {
    this.sequence += bytes;
  }

  private async hear(wanted: (frame: Uint8Array) => boolean): Promise<Uint8Array<ArrayBuffer>> {
    for (let tries = 0; tries < 1000; tries++) {
      for (let frame = this.world.tap.read(); frame !== null; frame = this.world.tap.read()) {
        if (wanted(frame)) return frame;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error("The host has not sent what was waited for within 5 s");
  }
}

/** Reads until so many bytes came; after 10 s it closes the connection, so that the read fails. */
async function readBytes(connection: Deno.TcpConn, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  const deadline = setTimeout(() => connection.close(), 10_000);
  try {
    for (let have = 0; have < count;) {
      const size = await connection.read(bytes.subarray(have));
      if (size === null) throw new Error(`The stream ended ${count - have} bytes too early`);
      have += size;
    }
    return bytes;
  } finally {
    clearTimeout(deadline);
  }
}

/** Ways to bring the word in, or to be let through with something else. */
const TRICKS: ((random: Random) => Partial<FrameSpec>)[] = [
  () => ({ payload: text("harmless ") }),
  (r) => ({ payload: text("x".repeat(1 + r.below(300))), flags: FLAG.ack }),
  (r) => ({ payload: text("y".repeat(507 + r.below(8)) + "hate") }),
  () => ({ payload: text("hate") }),
  () => ({ payload: text("I ha") }), // and "te": each packet by itself is harmless
  () => ({ payload: text("te you ") }),
  // Linux takes the urgent byte out of the stream: "I haXte" would arrive as "I hate".
  () => ({ payload: text("I haXte"), flags: FLAG.psh | FLAG.ack | FLAG.urg, urgent: 5 }),
  () => ({ payload: text("clean"), flags: FLAG.ack | FLAG.urg }),
  () => ({ payload: text("hate"), flags: FLAG.psh | FLAG.ack | FLAG.ece }),
  () => ({ payload: text("hate"), flags: FLAG.ack | FLAG.cwr }),
  () => ({ payload: text("hate"), tags: [0x81, 0, 0, 0] }), // VLAN 0: the host looks through it
  () => ({ payload: text("vlan"), tags: [0x81, 0, 0, 0] }),
  () => ({ payload: text("hate"), tags: [0x88, 0xa8, 0, 0, 0x81, 0, 0, 0] }),
  () => ({ payload: text("hate"), ipOptions: [1, 1, 1, 0], versionAndLength: 0x46 }),
  () => ({ payload: text("clean"), ipOptions: [1, 1, 1, 0], versionAndLength: 0x46 }),
  () => ({ payload: text("hate"), tcpOptions: [1, 1, 1, 1] }),
  () => ({ payload: text("clean"), tcpOptions: [1, 1, 1, 0] }),
  () => ({ payload: text("clean"), reserved: 1 }),
  () => ({ payload: text("hate"), reserved: 8 }),
  (r) => ({ payload: text("clean"), trailer: 1 + r.below(9) }),
  (r) => ({ payload: text("hate"), trailer: 6 + r.below(9), totalLength: 44 }),
  (r) => ({ payload: text("clean"), totalLength: 41 + r.below(4) }),
  () => ({ payload: text("clean"), sourceMac: [2, 0, 0, 0, 0, 9] }),
  () => ({ payload: text("clean"), destinationMac: [255, 255, 255, 255, 255, 255] }),
  () => ({ payload: text("clean"), fragment: 0x8000 }),
  () => ({ payload: text("hate"), fragment: 0x2000 }),
  () => ({ payload: text("clean"), flags: FLAG.syn | FLAG.ack, tcpOptions: SYN_OPTIONS }),
  () => ({ payload: text("clean"), flags: FLAG.psh }),
  () => ({ payload: text("clean"), flags: 0 }),
  () => ({ payload: new Uint8Array(), flags: FLAG.ack }),
];

kernelTest("a host's TCP socket receives exactly the payloads that the judge passes", async () => {
  const random = seeded(5);
  using world = new TapWorld(hateless(), LINK);
  const guest = new Guest(world);
  using connection = await guest.accept();
  const received: Uint8Array[] = [];
  for (let round = 0; round < 200; round++) {
    const already = guest.passed.length;
    for (let i = 0; i < 60; i++) guest.send(random.pick(TRICKS)(random));
    const expected = concat(...guest.passed.slice(already));
    received.push(await readBytes(connection, expected.length));
    assertEquals(received.at(-1), expected);
  }
  guest.send({ flags: FLAG.fin | FLAG.ack });
  assertEquals(await connection.read(new Uint8Array(1)), null);

  const whole = new TextDecoder().decode(concat(...received));
  assert(!whole.includes("haXte") && !whole.includes("clean") && !whole.includes("vlan"));
  assert(whole.includes("I hate you"), "a word that two packets share is not the packet's");
  const counters: Record<string, bigint> = world.diode.counters();
  for (const [reason, count] of guest.reasons) {
    // The host's side sends nothing through the diode, so every count is the guest's.
    assertEquals(counters[reason], BigInt(count), reason);
  }
});

/** What Linux does when nothing guards the tap; otherwise the test above would show nothing. */
kernelTest("without the rule, the urgent byte's trick does work", async () => {
  using world = new TapWorld(hateless(), LINK);
  const guest = new Guest(world);
  using connection = await guest.accept();
  world.unguard();
  guest.send({ payload: text("I haXte"), flags: FLAG.psh | FLAG.ack | FLAG.urg, urgent: 5 });
  // A read ends at the urgent byte's place; the runtime reads on only when more has come.
  const beginning = await readBytes(connection, 4);
  guest.skip(7);
  guest.send({ payload: text(" Mondays") });
  const received = concat(beginning, await readBytes(connection, 10));
  assertEquals(new TextDecoder().decode(received), "I hate Mondays");
});
