/** The monitor's speed over text without live matches, beside the plain way: append and re-scan. */
import { compilePolicy } from "../../src/api/policy.ts";
import { Monitor } from "../../src/gate/monitor.ts";
import { shippedPolicy } from "../../diodes/shipped.ts";

const BYTES = 1 << 26;
const TOKENS = 2000;
const LIMIT_MB_S = 100;

const { output: program } = await compilePolicy(shippedPolicy("hateless"), "hateless.toml");
const text = new TextEncoder().encode(
  "The quick brown fox jumps over lazy dogs. ".repeat(BYTES / 42 | 0),
);

function best(rounds: number, body: () => void): number {
  let least = Infinity;
  for (let i = 0; i < rounds; i++) {
    const begun = performance.now();
    body();
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}

const bulk = best(5, () => void new Monitor(program).push(text));
const rate = text.length / 1e3 / bulk;
console.log(
  `monitor, one piece: ${rate.toFixed(0)} MB/s, ratio to ${LIMIT_MB_S} MB/s: ${
    (rate / LIMIT_MB_S).toFixed(2)
  }`,
);

const tokens = Array.from({ length: TOKENS }, (_, i) => ` word${i % 97}`);
const encoder = new TextEncoder();
const ours = best(5, () => {
  const monitor = new Monitor(program);
  for (const token of tokens) monitor.push(encoder.encode(token));
  monitor.end();
}) * 1000 / TOKENS;
const plain = best(3, () => {
  let all = "";
  for (const token of tokens) {
    all += token;
    if (/hate/i.test(all)) throw new Error("unexpected match");
  }
}) * 1000 / TOKENS;
console.log(`monitor, token by token: ${ours.toFixed(2)} µs a token at ${TOKENS} tokens`);
console.log(
  `append and re-scan with RegExp: ${plain.toFixed(2)} µs a token, ratio ${
    (plain / ours).toFixed(1)
  }`,
);
