/**
 * Each shipped diode, as it is loaded, against the direct evaluator of its predicate: 200,000
 * payloads by BPF_PROG_TEST_RUN, and 20,000 as frames on a tap, down to what a socket of the host
 * receives. What decided (the event's offset) is compared with the automaton's own account.
 */
import { assert, assertEquals, fail } from "@std/assert";
import { compileDiode, type DiodePlan, shippedDiode, shippedDiodes } from "../../diodes/plan.ts";
import { XDP } from "../../ffi/bpf_program.ts";
import { equalBytes, hex } from "../../src/base/bytes.ts";
import { judge } from "../../src/automaton/judgement.ts";
import { encodeConfig } from "../../src/bpf/layout.ts";
import { formatPredicate } from "../../src/policy/predicate.ts";
import type { JudgeLink } from "../judge/link_rules.ts";
import { Payloads } from "../judge/payloads.ts";
import { accepts } from "../judge/predicate.ts";
import { seeded } from "../judge/random.ts";
import { LINK, serialise, spec } from "./frames.ts";
import { kernelTest, LoadedDiode, rulesOf } from "./loaded_diode.ts";
import { TapWorld } from "./tap_world.ts";

const RUNS = 200_000;
const FRAMES = 20_000;
/** Payloads between two looks at the ring buffer, which has room for so many events. */
const BATCH = 500;
/** Bytes of a frame before the payload, and of the longest payload that a frame may carry. */
const HEADERS = 54;
const MOST_BYTES = LINK.maxFrame - HEADERS;

type Reason = "pass" | "pass_empty" | "empty" | "oversize" | "predicate";

/** What the diode has to do with a payload in a frame that is otherwise as it should be. */
function expected(plan: DiodePlan, payload: Uint8Array): Reason {
  if (payload.length > MOST_BYTES) return "oversize";
  if (payload.length > 0) return accepts(plan.file.predicate, payload) ? "pass" : "predicate";
  return plan.name === "closed" ? "empty" : "pass_empty";
}

/** The diode's plan, and the link that it stands for. */
async function planned(name: string): Promise<{ plan: DiodePlan; link: JudgeLink }> {
  const plan = await compileDiode(shippedDiode(name), `${name}.toml`, rulesOf(LINK));
  const link = { ...LINK, dropEmpty: name === "closed" };
  assertEquals(plan.config, encodeConfig(rulesOf(link), plan.judgement));
  return { plan, link };
}

/** Frames that differ in payload only, each written over the one before; no checksums. */
class FrameWriter {
  private readonly buffer = new Uint8Array(HEADERS + MOST_BYTES + 64);
  private readonly view = new DataView(this.buffer.buffer);
  /** Where a payload is put. */
  readonly room = this.buffer.subarray(HEADERS);

  constructor() {
    this.buffer.set(serialise(spec()));
  }

  /** @returns the frame of the room's first bytes. */
  frame(length: number): Uint8Array {
    this.view.setUint16(16, 40 + length);
    return this.buffer.subarray(0, HEADERS + length);
  }
}

/** Each verdict in the counters as often as it was expected, and both sides of the predicate. */
function sameCounts(plan: DiodePlan, diode: LoadedDiode, seen: Map<Reason, number>): void {
  for (const [reason, count] of Object.entries(diode.counters())) {
    assertEquals(count, BigInt(seen.get(reason as Reason) ?? 0), `${plan.name}: ${reason}`);
  }
  const total = [...seen.values()].reduce((sum, count) => sum + count, 0);
  for (const reason of ["pass", "predicate"] as const) {
    const share = (seen.get(reason) ?? 0) / total;
    if (plan.name === "closed") assert(reason === "pass" ? share === 0 : share > 0.5);
    else assert(share > 0.1, `${plan.name}: only ${share} ${reason}`);
  }
}

for (const [i, name] of shippedDiodes().entries()) {
  kernelTest(`${name}: 200,000 payloads, the kernel's verdict and offset`, async () => {
    const { plan, link } = await planned(name);
    const payloads = new Payloads(seeded(100 + i), plan.file.predicate);
    using diode = new LoadedDiode(plan.judgement, link);
    const writer = new FrameWriter();
    const seen = new Map<Reason, number>();
    for (let done = 0; done < RUNS;) {
      const offsets: (number | null)[] = [];
      for (let more = BATCH; more > 0; more--, done++) {
        const length = payloads.fill(writer.room);
        const payload = writer.room.subarray(0, length);
        const reason = expected(plan, payload);
        seen.set(reason, (seen.get(reason) ?? 0) + 1);
        const passes = reason.startsWith("pass");
        const { verdict } = diode.program.run(writer.frame(length));
        if (verdict !== (passes ? XDP.pass : XDP.drop)) {
          const what = `${formatPredicate(plan.file.predicate)} on ${hex(payload)}`;
          fail(`verdict ${verdict}, judge ${reason}: ${what}`);
        }
        if (passes) continue;
        offsets.push(reason === "predicate" ? judge(plan.judgement, payload).offset : null);
      }
      const found = diode.events().map(({ offset }) => offset);
      if (found.join() !== offsets.join()) assertEquals(found, offsets);
    }
    sameCounts(plan, diode, seen);
  });
}

for (const [i, name] of shippedDiodes().entries()) {
  kernelTest(`${name}: 20,000 frames on a tap, what a socket of the host receives`, async () => {
    const { plan, link } = await planned(name);
    const payloads = new Payloads(seeded(200 + i), plan.file.predicate);
    using world = new TapWorld(plan.judgement, link);
    const room = new Uint8Array(MOST_BYTES + 64);
    const seen = new Map<Reason, number>();
    for (let done = 0; done < FRAMES;) {
      const passing: Uint8Array[] = [];
      for (let more = BATCH; more > 0; more--, done++) {
        const payload = room.subarray(0, payloads.fill(room));
        const frame = serialise(spec({ payload }));
        const reason = expected(plan, payload);
        seen.set(reason, (seen.get(reason) ?? 0) + 1);
        if (reason.startsWith("pass")) passing.push(frame);
        world.tap.write(frame);
      }
      for (const frame of passing) {
        const heard = world.ear.receive() ?? fail(`not heard: ${hex(frame)}`);
        if (!equalBytes(heard, frame)) fail(`heard ${hex(heard)}, not ${hex(frame)}`);
      }
      assertEquals(world.ear.receive(), null);
      world.diode.events();
      world.discardSent();
    }
    sameCounts(plan, world.diode, seen);
  });
}
