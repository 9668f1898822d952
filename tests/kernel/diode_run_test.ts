/** The loaded program against the judges, frame by frame, by BPF_PROG_TEST_RUN. */
import { assert, assertEquals, fail } from "@std/assert";
import { shippedDiode } from "../../diodes/plan.ts";
import { RUN_MAX_BYTES, XDP } from "../../ffi/bpf_program.ts";
import { hex } from "../../src/base/bytes.ts";
import { VeiError } from "../../src/base/errors.ts";
import { compilePredicate } from "../../src/automaton/compile.ts";
import { decide } from "../../src/automaton/dfa.ts";
import { judgePredicate } from "../../src/automaton/judgement.ts";
import { WALK_LIMIT } from "../../src/bpf/layout.ts";
import { parseDiodeFile } from "../../src/policy/diode_file.ts";
import { parsePredicate } from "../../src/policy/parse.ts";
import { formatPredicate } from "../../src/policy/predicate.ts";
import { wholeFile } from "../../src/policy/source.ts";
import type { JudgeLink } from "../judge/link_rules.ts";
import { accepts } from "../judge/predicate.ts";
import { type Random, seeded } from "../judge/random.ts";
import { anyPredicate, payloadNear, WHOLE } from "../judge/random_predicate.ts";
import { expect, judgeHateless, type PayloadJudge, sameEvents } from "./expected.ts";
import { anyFrame, anyPayload, LINK, serialise, spec } from "./frames.ts";
import { kernelTest, LoadedDiode } from "./loaded_diode.ts";

const compile = (text: string) => judgePredicate(parsePredicate(wholeFile(text, "test")));
const hateless = () =>
  judgePredicate(parseDiodeFile(shippedDiode("hateless"), "hateless.toml").predicate);

/** Runs frames and compares verdict, counters and every field of every event. */
function compare(
  diode: LoadedDiode,
  link: JudgeLink,
  judge: PayloadJudge,
  frames: number,
  make: () => Uint8Array<ArrayBuffer>,
): Map<string, number> {
  const seen = new Map<string, number>();
  const before = diode.counters();
  for (let done = 0; done < frames;) {
    const batch = Math.min(1000, frames - done);
    const events: Record<string, unknown>[] = [];
    for (let i = 0; i < batch; i++, done++) {
      const frame = make();
      const expected = expect(frame, link, judge);
      const { verdict } = diode.program.run(frame);
      const wanted = expected.event === null ? XDP.pass : XDP.drop;
      if (verdict !== wanted) fail(`verdict ${verdict}, judge ${expected.reason}: ${hex(frame)}`);
      seen.set(expected.reason, (seen.get(expected.reason) ?? 0) + 1);
      if (expected.event !== null) events.push(expected.event);
    }
    sameEvents(diode.events(), events);
  }
  for (const [reason, count] of Object.entries(diode.counters())) {
    const counted = count - before[reason as keyof typeof before];
    assertEquals(counted, BigInt(seen.get(reason) ?? 0), reason);
  }
  return seen;
}

const shortEnough = (make: () => Uint8Array<ArrayBuffer>) => {
  let frame;
  do frame = make(); while (frame.length > RUN_MAX_BYTES);
  return frame;
};

kernelTest(
  "hateless: 120,000 frames, the kernel's verdict, reason and event are the judge's",
  () => {
    const random = seeded(1);
    using diode = new LoadedDiode(hateless(), LINK);
    const seen = compare(diode, LINK, judgeHateless, 120_000, () => {
      return shortEnough(() => anyFrame(random, anyPayload(random)));
    });
    const never = ["events_lost", "empty", "walk_limit"];
    for (const reason of Object.keys(diode.counters())) {
      if (!never.includes(reason)) assert((seen.get(reason) ?? 0) >= 100, `too few: ${reason}`);
    }
  },
);

kernelTest("the options: MACs or port not compared, TCP options let through, nothing empty", () => {
  const random = seeded(2);
  const all = { anyMac: true, anySourcePort: true, anyOptions: true, dropEmpty: true };
  const variants: Partial<JudgeLink>[] = [
    ...Object.entries(all).map((option) => Object.fromEntries([option])),
    all,
    { maxFrame: 300, guestPort: 443, hostIp: [10, 1, 2, 3] },
  ];
  for (const options of variants) {
    const link = { ...LINK, ...options };
    using diode = new LoadedDiode(hateless(), link);
    compare(diode, link, judgeHateless, 6000, () => {
      return shortEnough(() => anyFrame(random, anyPayload(random)));
    });
  }
});

/** @returns a predicate with its automaton and judgement; of those that are too large, another. */
function anyCompiled(random: Random) {
  for (;;) {
    const predicate = anyPredicate(random, 3, WHOLE);
    try {
      const [dfa, judgement] = [compilePredicate(predicate), judgePredicate(predicate)];
      return { predicate, dfa, judgement };
    } catch (error) {
      if (!(error instanceof VeiError && error.code === "diode-too-large")) throw error;
    }
  }
}

kernelTest("80 random predicates: verdict as evaluated directly, offset as the automaton's", () => {
  const random = seeded(3);
  for (let i = 0; i < 80; i++) {
    const { predicate, dfa, judgement } = anyCompiled(random);
    using diode = new LoadedDiode(judgement, LINK);
    const judge = (payload: Uint8Array) => {
      const { accepted, offset } = decide(dfa, payload);
      assertEquals(accepted, accepts(predicate, payload), formatPredicate(predicate));
      return accepted ? null : offset;
    };
    compare(diode, LINK, judge, 400, () => {
      const payload = payloadNear(random, predicate).slice(0, 1460);
      return serialise(spec({ payload }));
    });
  }
});

kernelTest("a payload longer than the walk: decided before the limit, or dropped there", () => {
  const link = { ...LINK, maxFrame: RUN_MAX_BYTES };
  const run = (text: string, payload: Uint8Array) => {
    using diode = new LoadedDiode(compile(text), link);
    const { verdict } = diode.program.run(serialise(spec({ payload })));
    const [event] = diode.events();
    return verdict === XDP.pass ? "pass" : `${event.reason} ${event.offset}`;
  };
  const zeros = (length: number) => new Uint8Array(length);
  const open = 'not contains "hate"';
  assertEquals(run(open, zeros(WALK_LIMIT)), "pass");
  assertEquals(run(open, zeros(WALK_LIMIT + 1)), `walk_limit ${WALK_LIMIT}`);
  assertEquals(run(open, zeros(3400)), `walk_limit ${WALK_LIMIT}`);
  assertEquals(run(`${open} within 512`, zeros(3400)), "pass");
  assertEquals(run(`${open} within 2000`, zeros(3400)), `walk_limit ${WALK_LIMIT}`);
  // Sizes are compared, not walked: nothing is left undecided.
  assertEquals(run("size < 3400", zeros(3400)), "predicate 3399");
  assertEquals(run(`size < 3000 and ${open} within 512`, zeros(3400)), "predicate 2999");
  const late = zeros(WALK_LIMIT + 8);
  late.set(new TextEncoder().encode("hate"), WALK_LIMIT - 4);
  assertEquals(run(open, late), `predicate ${WALK_LIMIT - 1}`);
});

kernelTest("a full ring buffer: events are counted as lost, the verdict stands", () => {
  using diode = new LoadedDiode(hateless(), LINK);
  const frame = serialise(spec({ payload: new TextEncoder().encode("I hate") }));
  const runs = 20_000;
  for (let i = 0; i < runs; i++) assertEquals(diode.program.run(frame).verdict, XDP.drop);
  const lost = diode.counter("events_lost");
  assert(lost > 0n);
  assertEquals(diode.counter("predicate"), BigInt(runs));
  assertEquals(BigInt(diode.events().length), BigInt(runs) - lost);
});

kernelTest("events carry the monotonic clock, in order", () => {
  using diode = new LoadedDiode(hateless(), LINK);
  const frame = serialise(spec({ payload: new TextEncoder().encode("hate") }));
  for (let i = 0; i < 10; i++) diode.program.run(frame);
  const times = diode.events().map((event) => event.timeNs);
  assertEquals(times, times.toSorted((a, b) => Number(a - b)));
  const uptime = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]);
  assert(Math.abs(Number(times[9]) / 1e9 - uptime) < 60);
});
