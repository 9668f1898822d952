/** The monitor against its definition, at every byte. */
import { assert, assertEquals } from "@std/assert";
import {
  breaksSome,
  continuations,
  decidedBy,
  isLost,
  type JudgedPolicy,
  type Verdict,
} from "../../tests/judge/gate.ts";
import { type Random, seeded } from "../../tests/judge/random.ts";
import { VeiError } from "../base/errors.ts";
import { type Policy, USUAL_LIMITS } from "../policy/policy.ts";
import { readRegex } from "../policy/regex.ts";
import { compileMonitor } from "./compile_monitor.ts";
import { Monitor, type MonitorProgram, type Violation } from "./monitor.ts";

const SEED = Number(Deno.env.get("VEI_SEED") ?? 20261123);
const ROUNDS = Number(Deno.env.get("VEI_ROUNDS") ?? 60);
const E_ACUTE = [0xc3, 0xa9];

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
      within: null,
    })),
    require: judged.require === null ? [] : [{
      ...rule,
      id: "require0",
      what: {
        kind: "regex",
        regex: readRegex(judged.require.source, judged.require.flags),
      },
    }],
    examples: [],
  };
}

/** @returns null where it is refused, as what forbids everything or holds back without bound. */
function compiled(judged: JudgedPolicy): MonitorProgram | null {
  try {
    return compileMonitor(policyOf(judged), "output").program;
  } catch (error) {
    if (!(error instanceof VeiError)) throw error;
    assert(["policy-forbids-everything", "policy-holds-back"].includes(error.code), error.message);
    return null;
  }
}

interface Ran {
  /** How much was released after each byte that decided nothing. */
  released: number[];
  violation: Violation | null;
}

/** Byte by byte; released bytes are counted, and compared with what was pushed. */
function ran(program: MonitorProgram, content: readonly number[], ended = true): Ran {
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
    default:
      return { source: random.pick(["\\b", "$", "^", "\\B"]) + one.source, most: one.most };
  }
}

/** What may follow is tried up to so many bytes: longer expressions are left out. */
const TRIED = 4;

function regex(random: Random, assertions = false): RegExp {
  // An assertion may need to see one more.
  const most = assertions ? TRIED : TRIED + 1;
  for (;;) {
    const one = part(random, 1 + random.below(3), assertions);
    if (one.most > most) continue;
    return new RegExp(one.source, !assertions && random.once(3) ? "isu" : "su");
  }
}

const shown = (judged: JudgedPolicy) =>
  `${judged.forbid.join(" ")} require ${judged.require} ${judged.charset} ${judged.maxBytes}`;

const ALPHABET = [0x61, 0x62, 0x63, ...E_ACUTE];
/** With 0xc3, a character that no expression names. */
const OTHERS = [0xa8];

Deno.test("decides, names and releases as the definition has it, at every byte", () => {
  const random = seeded(SEED);
  let decided = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const judged: JudgedPolicy = {
      forbid: Array.from({ length: 1 + random.below(3) }, () => regex(random)),
      charset: random.pick(["utf-8", "ascii"]),
      require: null,
      maxBytes: random.once(3) ? random.below(8) : null,
    };
    const program = compiled(judged);
    if (program === null) continue;
    const known = new Map<string, Verdict | null>();
    const decides = (bytes: readonly number[], ended: boolean) => {
      const key = `${bytes} ${ended}`;
      if (!known.has(key)) known.set(key, decidedBy(judged, bytes, ended));
      return known.get(key)!;
    };
    /**
     * Whether a violation comes within so many bytes, whatever they are, the end included. The limit
     * on bytes decides by itself.
     */
    const endless = { ...judged, maxBytes: null };
    const lost = (bytes: readonly number[], left: number): boolean =>
      left > 0 && decidedBy(endless, bytes, true) !== null &&
      [...ALPHABET, ...OTHERS].every((byte) => {
        const next = [...bytes, byte];
        return decidedBy(endless, next, false) !== null || lost(next, left - 1);
      });
    /** The least start of a violation that may come within so many bytes. */
    const earliest = (bytes: readonly number[], left: number): number => {
      let least = decides(bytes, true)?.start ?? bytes.length;
      if (left === 0) return least;
      for (const byte of ALPHABET) {
        const next = [...bytes, byte];
        least = Math.min(least, decides(next, false)?.start ?? earliest(next, left - 1));
      }
      return least;
    };
    for (let text = 0; text < 3; text++) {
      const content = Array.from({ length: random.below(9) }, () => random.pick(ALPHABET));
      const what = `seed ${SEED} round ${round}: ${shown(judged)}, content ${content}`;
      const { released, violation } = ran(program, content);
      for (let length = 1; length <= content.length; length++) {
        const now = content.slice(0, length);
        const verdict = decides(now, false);
        if (decidedBy(endless, now, false) === null && lost(now, TRIED - 1)) {
          const { offset, start } = violation!;
          const least = Math.min(earliest(now, TRIED), verdict?.start ?? length);
          assertEquals([offset, start], [length - 1, least], what);
          break;
        }
        if (verdict !== null) {
          assertEquals(violation, verdict, what);
          decided++;
          break;
        }
        assertEquals(released[length - 1], earliest(now, TRIED), `${what} after ${length}`);
      }
      if (violation === null || violation.offset === content.length) {
        assertEquals(violation, decides(content, true), what);
      }
    }
  }
  assert(decided > ROUNDS / 4, `${decided}`);
});

Deno.test("with assertions and required texts: decides where nothing can avoid it any more", () => {
  const random = seeded(SEED + 1);
  const alphabet = [0x61, 0x62, 0x63, 0x20, 0x21];
  const more = continuations(alphabet, TRIED);
  let decided = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const judged: JudgedPolicy = {
      forbid: Array.from({ length: random.below(3) }, () => regex(random, true)),
      charset: random.pick(["utf-8", "bytes"]),
      require: random.once(2) ? regex(random, true) : null,
      maxBytes: null,
    };
    const program = compiled(judged);
    if (program === null) {
      continue;
    }
    for (let text = 0; text < 2; text++) {
      const content = Array.from({ length: random.below(7) }, () => random.pick(alphabet));
      const what = `seed ${SEED} round ${round}: ${shown(judged)}, content ${content}`;
      const { released, violation } = ran(program, content);
      let offset = content.findIndex((_, i) => isLost(judged, content.slice(0, i + 1), more));
      if (offset < 0 && breaksSome(judged, content)) offset = content.length;
      assertEquals(violation?.offset ?? -1, offset, what);
      if (offset >= 0) decided++;
      // Released is what starts before whatever verdict may yet come.
      for (let length = 1; length <= released.length; length++) {
        const now = content.slice(0, length);
        const starts = more.flatMap((following) =>
          ran(program, [...now, ...following]).violation?.start ?? []
        );
        const least = Math.min(length, ...starts);
        assertEquals(released[length - 1], least, `${what} after ${length}`);
      }
    }
  }
  assert(decided > ROUNDS / 4, `${decided}`);
});
