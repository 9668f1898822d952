/** What a diode says of one payload: the program in the kernel, and its text read by definition. */
import { RingReader } from "../ffi/ring.ts";
import { XDP } from "../ffi/bpf_program.ts";
import { compilePredicate } from "../src/automaton/compile.ts";
import { decide } from "../src/automaton/dfa.ts";
import { decodeEvent } from "../src/bpf/event.ts";
import { guestFrame } from "../src/bpf/frame.ts";
import { CONFIG, type LinkRules } from "../src/bpf/layout.ts";
import { DiodeObjects } from "./objects.ts";
import type { DiodePlan } from "./plan.ts";

export interface Trial {
  readonly verdict: "pass" | "drop";
  /** As the counters call it. */
  readonly reason: string;
  /** Index of the payload byte that decided against it, its length when its end did, or null. */
  readonly offset: number | null;
}

/**
 * Runs the loaded program once on a frame with this payload (BPF_PROG_TEST_RUN); it is attached to
 * nothing, and gone afterwards.
 * @param rules those that the plan was compiled for.
 * @throws SystemError where the kernel does not load it.
 */
export function tryInKernel(plan: DiodePlan, rules: LinkRules, payload: Uint8Array): Trial {
  using objects = DiodeObjects.create(plan, null);
  using ring = new RingReader(objects.maps.events);
  const { verdict } = objects.program.run(guestFrame(rules, payload));
  const counted = Object.entries(objects.counters()).filter(([, count]) => count > 0);
  let offset: number | null = null;
  ring.drain((record) => offset = decodeEvent(record).offset);
  return {
    verdict: verdict === XDP.pass ? "pass" : "drop",
    reason: counted.map(([reason]) => reason).join(),
    offset,
  };
}

/**
 * What the predicate says, by the one automaton of all of it: no table, no size beside it, no
 * program.
 */
export function tryByDefinition(plan: DiodePlan, payload: Uint8Array): Trial {
  if (payload.length === 0) {
    return plan.config[CONFIG.dropEmpty] === 0
      ? { verdict: "pass", reason: "pass_empty", offset: null }
      : { verdict: "drop", reason: "empty", offset: null };
  }
  const { accepted, offset } = decide(compilePredicate(plan.file.predicate), payload);
  return accepted
    ? { verdict: "pass", reason: "pass", offset: null }
    : { verdict: "drop", reason: "predicate", offset };
}
