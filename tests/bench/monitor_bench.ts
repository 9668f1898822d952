/**
 * The monitor's speed, beside the plain way, which appends each token and searches all again with
 * RegExp. The best of many short runs counts: others share the machine.
 */
import { shippedPolicy } from "../../diodes/shipped.ts";
import { compileMonitor } from "../../src/gate/compile_monitor.ts";
import { Monitor, type MonitorProgram } from "../../src/gate/monitor.ts";
import { readPolicy } from "../../src/policy/policy_text.ts";
import { seeded } from "../judge/random.ts";
import { expressionsOf, policyOfMany, tableBytes } from "../tools/many_rules.ts";

const BYTES = 1 << 22;
/** The promises. */
const LEAST_MB_S = 300;
/** Of a policy whose rules need several automata, on ordinary prose. */
const LEAST_MB_S_OF_SEVERAL = 100;
const MOST_US = 2;
const MOST_P99_MS = 1;
const MOST_COMPILE_MS = 5000;
const MOST_TABLE = 64e6;

const broken: string[] = [];

function say(what: string, figure: string, kept: boolean | null = null): void {
  const mark = kept === null ? "" : kept ? "  kept" : "  NOT KEPT";
  console.log(`${what.padEnd(62)}${figure.padStart(26)}${mark}`);
  if (kept === false) broken.push(what);
}

/** @returns the least time that it took, in ms. */
function best(rounds: number, body: () => void): number {
  let least = Infinity;
  for (let i = 0; i < rounds; i++) {
    const begun = performance.now();
    body();
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}

const encoder = new TextEncoder();

/** @returns how fast a text goes through, in MB/s. */
function rateOf(program: MonitorProgram, text: Uint8Array, piece: number): number {
  return text.length / 1e3 / best(60, () => {
    const monitor = new Monitor(program);
    for (let at = 0; at < text.length; at += piece) {
      if (monitor.push(text.subarray(at, at + piece)).violation) throw new Error("a violation");
    }
  });
}

const inPieces = (text: Uint8Array, piece: number) =>
  piece === text.length ? "one piece" : `pieces of ${piece}`;

function bulk(): void {
  const policy = readPolicy(shippedPolicy("hateless"), "hateless.toml");
  const { program, groups } = compileMonitor(policy, "output");
  if (groups.length !== 1) throw new Error("hateless has one group");
  for (
    const [what, sentence, least] of [
      ["without a match under way", "A quick brown fox jumps over lazy dogs in Rome. ", LEAST_MB_S],
      ["with one at each h", "The quick brown fox has jumped over ham and hats. ", null],
    ] as const
  ) {
    const text = encoder.encode(sentence.repeat(BYTES / sentence.length | 0));
    for (const piece of [text.length, 1 << 14]) {
      const rate = rateOf(program, text, piece);
      const kept = least === null ? null : rate >= least;
      say(`hateless, ${what}, ${inPieces(text, piece)}`, `${rate.toFixed(0)} MB/s`, kept);
    }
  }
}

/** Sixty expressions in some thirty automata, over the licence's text. */
function several(): void {
  const { program } = compileMonitor(readPolicy(shippedPolicy("secrets"), "secrets"), "output");
  const prose = Deno.readTextFileSync(new URL("../../LICENSE", import.meta.url));
  const text = encoder.encode(prose.repeat(BYTES / prose.length | 0));
  for (const piece of [text.length, 1 << 14]) {
    const rate = rateOf(program, text, piece);
    const what = `secrets, ${program.automata.length} automata, prose, ${inPieces(text, piece)}`;
    say(what, `${rate.toFixed(0)} MB/s`, rate >= LEAST_MB_S_OF_SEVERAL);
  }
}

/** Words that no rule forbids, some of which begin as forbidden ones do. */
const tokenAt = (i: number) =>
  [" word", " brea", " and", " the", " chou", " 17", ".\n"][i % 7] + i % 9;

const CHUNK = 100;

/**
 * @param begin makes what takes one token after another.
 * @returns the least time that the last hundred of so many tokens took, in µs a token.
 */
function atLength(rounds: number, count: number, begin: () => (i: number) => void): number {
  let least = Infinity;
  for (let round = 0; round < rounds; round++) {
    const take = begin();
    for (let i = 0; i < count - CHUNK; i++) take(i);
    const begun = performance.now();
    for (let i = count - CHUNK; i < count; i++) take(i);
    least = Math.min(least, performance.now() - begun);
  }
  return 1000 / CHUNK * least;
}

function tokens(program: MonitorProgram, plain: readonly RegExp[]): void {
  const all = Array.from({ length: 10_000 }, (_, i) => tokenAt(i));
  const bytes = all.map((token) => encoder.encode(token));
  const found = (is: boolean) => {
    if (is) throw new Error("an unexpected match");
  };
  const monitored = () => {
    const monitor = new Monitor(program);
    return (i: number) => found(monitor.push(bytes[i]).violation !== null);
  };
  const searched = () => {
    let text = "";
    return (i: number) => {
      text += all[i];
      found(plain.some((one) => one.test(text)));
    };
  };
  const ours = new Map<number, number>();
  for (const count of [100, 2000, 10_000]) {
    const us = atLength(100, count, monitored);
    ours.set(count, us);
    const kept = count === 2000 ? us <= MOST_US : null;
    say(`100 words, 20 expressions: at ${count} tokens`, `${us.toFixed(2)} µs a token`, kept);
  }
  const flat = ours.get(10_000)! / ours.get(100)!;
  say("  at 10,000 tokens beside 100", `${flat.toFixed(2)} times`, flat < 1.5);
  for (const count of [100, 2000]) {
    const us = atLength(5, count, searched);
    const ratio = (us / ours.get(count)!).toFixed(0);
    say(
      `  append and search with RegExp: at ${count} tokens`,
      `${us.toFixed(0)} µs, ratio ${ratio}`,
    );
  }
}

/**
 * Each stream has a token every 20 ms, from a moment of its own on; one processor takes them as they
 * come. What a push takes is measured; when its turn comes is reckoned from that, as other programs
 * have the processor now and then. A delay is from the token's coming to the end of its push.
 */
function streams(program: MonitorProgram, count: number) {
  const ROUNDS = 10;
  const monitors = Array.from({ length: count }, () => new Monitor(program));
  const random = seeded(count);
  const moments = Float64Array.from(monitors, () => random.below(20_000) / 1000).sort();
  const bytes = Array.from({ length: 63 }, (_, i) => encoder.encode(tokenAt(i)));
  const delays = new Float64Array(count * ROUNDS);
  let free = 0;
  for (let i = 0; i < delays.length; i++) {
    const comes = moments[i % count] + 20 * Math.floor(i / count);
    const begun = performance.now();
    monitors[i % count].push(bytes[i % bytes.length]);
    free = Math.max(free, comes) + performance.now() - begun;
    delays[i] = free - comes;
  }
  delays.sort();
  const at = (part: number) => delays[Math.floor((delays.length - 1) * part)];
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function compiling(): void {
  const policy = policyOfMany(1000, 100);
  let program!: MonitorProgram;
  const ms = best(3, () => program = compileMonitor(policy, "output").program);
  const bytes = tableBytes(program);
  const what = "1,000 words and 100 expressions";
  say(`${what}: compiled in`, `${(ms / 1000).toFixed(2)} s`, ms < MOST_COMPILE_MS);
  const size = `${(bytes / 1e6).toFixed(1)} MB, ${program.automata.length} automata`;
  say(`${what}: tables`, size, bytes < MOST_TABLE);
}

bulk();
several();
const many = policyOfMany(100, 20);
const { program } = compileMonitor(many, "output");
tokens(program, expressionsOf(many));
const runs = Array.from({ length: 40 }, () => streams(program, 1000)).sort((a, b) => a.p99 - b.p99);
const [{ p50, p99, max }] = runs;
say(
  "1,000 streams of 50 tokens a second: delay, p50, p99, max",
  `${[p50, p99, max].map((ms) => ms.toFixed(3)).join(", ")} ms`,
  p99 < MOST_P99_MS,
);
compiling();
if (broken.length > 0) Deno.exit(1);
