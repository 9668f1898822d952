/** Random policies that can be judged by trying, and what the monitor makes of them. */
import { assert, assertEquals } from "@std/assert";
import { VeiError } from "../../src/base/errors.ts";
import { compileMonitor } from "../../src/gate/compile_monitor.ts";
import { Monitor, type MonitorProgram, type Violation } from "../../src/gate/monitor.ts";
import { type Policy, USUAL_LIMITS } from "../../src/policy/policy.ts";
import { readRegex } from "../../src/policy/regex.ts";
import type { JudgedPolicy } from "../judge/gate.ts";
import type { Random } from "../judge/random.ts";

/** The same policy, as it is judged and as it is compiled. */
function policyOf(judged: JudgedPolicy): Policy {
  const rule = { description: "", ignoreCase: false };
  return {
    name: "random",
    version: "1",
    description: "",
    limits: {
      ...USUAL_LIMITS,
      charset: judged.charset,
      maxBytes: judged.maxBytes,
      maxHold: judged.maxBytes === null ? 2 ** 30 : "all",
    },
    forbid: judged.forbid.map(({ source, flags }, i) => ({
      ...rule,
      id: `forbid${i}`,
      match: { kind: "regex", regex: readRegex(source, flags) },
      appliesTo: ["output"],
      within: judged.withins[i] ?? null,
    })),
    require: judged.require.map(({ source, flags }, i) => ({
      ...rule,
      id: `require${i}`,
      what: { kind: "regex", regex: readRegex(source, flags) },
    })),
    examples: [],
  };
}

/** @returns null where it is refused, as what forbids everything or holds back without bound. */
export function compiled(judged: JudgedPolicy): MonitorProgram | null {
  try {
    return compileMonitor(policyOf(judged), "output").program;
  } catch (error) {
    if (!(error instanceof VeiError)) throw error;
    assert(["policy-forbids-everything", "policy-holds-back"].includes(error.code), error.message);
    return null;
  }
}

export interface Ran {
  /** How much was released after each byte that decided nothing. */
  released: number[];
  violation: Violation | null;
}

/** Byte by byte; released bytes are counted, and compared with what was pushed. */
export function ran(program: MonitorProgram, content: readonly number[], ended = true): Ran {
  const monitor = new Monitor(program);
  const released: number[] = [];
  const out: number[] = [];
  for (const byte of content) {
    const step = monitor.push(Uint8Array.of(byte));
    out.push(...step.released);
    if (step.violation !== null) {
      assertEquals(out, content.slice(0, step.violation.start));
      return { released, violation: step.violation };
    }
    released.push(out.length);
    assertEquals(monitor.holding, released.length - out.length);
  }
  if (!ended) return { released, violation: null };
  const step = monitor.end();
  out.push(...step.released);
  const { violation } = step;
  assertEquals(out, content.slice(0, violation?.start ?? content.length));
  return { released, violation };
}

const ATOMS = ["a", "b", "c", "[ab]", ".", "é", "[^a]"];

/** An expression and the most bytes that a text of its alphabet needs to match it. */
interface Part {
  source: string;
  most: number;
}

function part(random: Random, depth: number, assertions: boolean): Part {
  const atom = (): Part => {
    const source = random.pick(assertions ? ["a", "b", "[ab]", ".", " ", "[^a]"] : ATOMS);
    return { source, most: source === "é" ? 2 : 1 };
  };
  if (depth === 0) return atom();
  const one = part(random, depth - 1, assertions);
  switch (random.below(assertions ? 6 : 5)) {
    case 0:
    case 1: {
      const two = part(random, depth - 1, assertions);
      return { source: one.source + two.source, most: one.most + two.most };
    }
    case 2: {
      const two = part(random, depth - 1, assertions);
      return { source: `(?:${one.source}|${two.source})`, most: Math.max(one.most, two.most) };
    }
    case 3: {
      const [count, times] = random.pick([["?", 1], ["{2}", 2], ["{1,2}", 2]] as const);
      return { source: `(?:${one.source})${count}`, most: times * one.most };
    }
    case 4:
      return { source: one.source + atom().source, most: one.most + 2 };
    default: {
      const assertion = random.pick(["\\b", "\\B", "\\b", "$", "^"]);
      const source = random.once(2) ? assertion + one.source : one.source + assertion;
      return { source, most: one.most };
    }
  }
}

/** What may follow is tried up to so many bytes: longer expressions are left out. */
export const TRIED = 4;

/** @returns a random expression that matches no empty text. */
export function regex(random: Random, assertions = false, flags?: string): RegExp {
  // An assertion may need to see one more.
  const most = assertions ? TRIED : TRIED + 1;
  for (;;) {
    const one = part(random, 1 + random.below(3), assertions);
    if (one.most > most) continue;
    return new RegExp(one.source, flags ?? (!assertions && random.once(3) ? "isu" : "su"));
  }
}
