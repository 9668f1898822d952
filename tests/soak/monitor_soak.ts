/** Ten million random cuts of random texts under random policies: never a byte of a violation. */
import { programWith, type WordRule } from "../tools/policies.ts";
import { Monitor } from "../../src/gate/monitor.ts";

const CUTS = Number(Deno.env.get("VEI_SOAK_CUTS") ?? 10_000_000);
const SEED = Number(Deno.env.get("VEI_SOAK_SEED") ?? Date.now() % 2 ** 31);
console.log(`seed ${SEED}, ${CUTS} cuts`);

let state = SEED;
/** mulberry32. @returns a whole number below `limit`. */
function below(limit: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return Math.floor(((t ^ (t >>> 14)) >>> 0) / 2 ** 32 * limit);
}

const letters = (count: number, from: string) =>
  Array.from({ length: count }, () => from[below(from.length)]).join("");
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function run(monitor: Monitor, bytes: Uint8Array, cuts: number): { text: string; offset: number } {
  let text = "";
  const places = Array.from({ length: cuts }, () => below(bytes.length + 1)).sort((a, b) => a - b);
  let at = 0;
  for (const place of [...places, bytes.length]) {
    const { released, violation } = monitor.push(bytes.subarray(at, place));
    text += decoder.decode(released);
    if (violation) return { text, offset: violation.offset };
    at = place;
  }
  return { text: text + decoder.decode(monitor.end().released), offset: -1 };
}

let done = 0;
let violations = 0;
while (done < CUTS) {
  const rules: WordRule[] = Array.from({ length: 1 + below(4) }, () => ({
    words: Array.from({ length: 1 + below(4) }, () => letters(1 + below(6), "abc")),
    ignoreCase: false,
  }));
  const program = programWith(rules);
  for (let texts = 0; texts < 20; texts++) {
    const bytes = encoder.encode(letters(below(60), "abcd"));
    const whole = run(new Monitor(program), bytes, 0);
    const words = rules.flatMap((rule) => rule.words);
    if (words.some((word) => whole.text.includes(word))) {
      throw new Error(`released a word: ${SEED}`);
    }
    if (whole.offset >= 0) violations++;
    for (let round = 0; round < 20; round++) {
      const cuts = 1 + below(8);
      const cut = run(new Monitor(program), bytes, cuts);
      if (cut.text !== whole.text || cut.offset !== whole.offset) {
        throw new Error(
          `a cut changed the result: seed ${SEED}, ${JSON.stringify({ rules, cut, whole })}`,
        );
      }
      done += cuts;
    }
  }
}
console.log(
  `${done} cuts, ${violations} texts with a violation; none released, none changed by a cut`,
);
