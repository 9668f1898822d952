import { assert, assertEquals } from "@std/assert";
import { type Random, seeded } from "../../tests/judge/random.ts";
import { programWith } from "../../tests/tools/policies.ts";
import { Monitor, type MonitorProgram } from "./monitor.ts";
import { partsOf, passes } from "./parts.ts";

const SEED = Number(Deno.env.get("VEI_SEED") ?? 20261130);

function allows(program: MonitorProgram, text: Uint8Array): boolean {
  const monitor = new Monitor(program);
  return monitor.push(text).violation === null && monitor.end().violation === null;
}

function json(random: Random, depth: number): string {
  const some = (one: () => string) => Array.from({ length: random.below(3) }, one).join(",");
  const text = () => JSON.stringify(random.pick(["", "a", "\u00e9\n", "\u0001x", "{}"]));
  switch (random.below(depth > 0 ? 5 : 3)) {
    case 0:
      return random.pick(["0", "-1.5e+3", "12", "1E9", "true", "false", "null", " 7\t"]);
    case 1:
    case 2:
      return text();
    case 3:
      return `[${some(() => json(random, depth - 1))}]`;
    default:
      return `{${some(() => `${text()}:${json(random, depth - 1)}`)}}`;
  }
}

Deno.test("the same parts judge text after text as the monitor does, JSON above all", () => {
  const random = seeded(SEED);
  const program: MonitorProgram = {
    ...programWith(["aa", "\\{\\}$"]),
    json: [{ rule: 0, maxDepth: 2 }],
  };
  const parts = partsOf(program);
  let allowed = 0;
  for (let round = 0; round < 5000; round++) {
    let text = json(random, 3);
    if (random.once(2)) {
      const at = random.below(text.length + 1);
      text = text.slice(0, at) + random.pick([...'{}[]:,"\\u0e-. a']) +
        text.slice(at + random.below(2));
    }
    const bytes = new TextEncoder().encode(text);
    const expected = allows(program, bytes);
    if (expected) allowed++;
    assertEquals(parts.every((part) => passes(part, bytes)), expected, `seed ${SEED}: ${text}`);
  }
  assert(allowed > 500 && allowed < 4500, `${allowed}`);
});
