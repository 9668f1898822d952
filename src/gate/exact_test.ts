/** The monitor against its definition, at every byte. */
import { assert, assertEquals } from "@std/assert";
import {
  continuations,
  decidedBy,
  decidingByte,
  type JudgedPolicy,
  partsOf,
  startsOfMatches,
  type Verdict,
} from "../../tests/judge/gate.ts";
import { seeded } from "../../tests/judge/random.ts";
import { compiled, ran, regex, TRIED } from "../../tests/tools/judged_policies.ts";

const SEED = Number(Deno.env.get("VEI_SEED") ?? 20261123);
const ROUNDS = Number(Deno.env.get("VEI_ROUNDS") ?? 60);

const shown = ({ forbid, withins, require, charset, maxBytes }: JudgedPolicy) =>
  `${forbid.join(" ")} within ${withins} require ${require.join(" ")} ${charset} ${maxBytes}`;

const E_ACUTE = [0xc3, 0xa9];
const ALPHABET = [0x61, 0x62, 0x63, ...E_ACUTE];
/** What may follow: with 0xc3 and 0xa8 also a character that no expression names. */
const FOLLOWING = [...ALPHABET, 0xa8];

Deno.test("decides, names and releases as the definition has it, at every byte", () => {
  const random = seeded(SEED);
  let decided = 0;
  for (let round = 0; round < ROUNDS; round++) {
    // Cases are all the same or all different: what follows is tried in one of them only.
    const flags = random.once(3) ? "isu" : "su";
    const judged: JudgedPolicy = {
      forbid: Array.from({ length: 1 + random.below(3) }, () => regex(random, false, flags)),
      charset: random.pick(["utf-8", "ascii"]),
      withins: [],
      require: [],
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
      FOLLOWING.every((byte) => {
        const next = [...bytes, byte];
        return decidedBy(endless, next, false) !== null || lost(next, left - 1);
      });
    /** The least start of a violation that may come within so many bytes. */
    const earliest = (bytes: readonly number[], left: number): number => {
      let least = decides(bytes, true)?.start ?? bytes.length;
      if (left === 0) return least;
      for (const byte of FOLLOWING) {
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

Deno.test("with assertions, required texts and bounds: decides where nothing can avoid it", () => {
  const random = seeded(SEED + 1);
  const alphabet = [0x61, 0x62, 0x63, 0x20, 0x21];
  const more = continuations(alphabet, TRIED);
  let [decided, bounded] = [0, 0];
  for (let round = 0; round < 2 * ROUNDS; round++) {
    const forbid = Array.from({ length: random.below(4) }, () => regex(random, true));
    const limited = random.once(2);
    const judged: JudgedPolicy = {
      forbid,
      withins: forbid.map(() => limited && random.once(2) ? 1 + random.below(5) : null),
      charset: random.pick(["utf-8", "bytes"]),
      require: Array.from({ length: random.below(3) }, () => regex(random, true)),
      maxBytes: random.once(3) ? random.below(6) : null,
    };
    const program = compiled(judged);
    if (program === null) continue;
    for (let text = 0; text < 2; text++) {
      const content = Array.from({ length: random.below(7) }, () => random.pick(alphabet));
      const what = `seed ${SEED} round ${round}: ${shown(judged)}, content ${content}`;
      const { released, violation } = ran(program, content);
      const offset = decidingByte(judged, content, more);
      assertEquals(violation?.offset ?? -1, offset, what);
      if (offset >= 0) decided++;
      if (offset >= 0 && judged.maxBytes !== null) bounded++;
      // Released is what starts before whatever verdict may yet come, of each part.
      const parts = partsOf(judged).map((part) => compiled(part)!);
      for (let length = 1; length <= released.length; length++) {
        const now = content.slice(0, length);
        const starts = more.flatMap((following) =>
          parts.flatMap((part) => ran(part, [...now, ...following]).violation?.start ?? [])
        );
        const least = Math.min(length, ...starts);
        assertEquals(released[length - 1], least, `${what} after ${length}`);
      }
    }
  }
  assert(decided > ROUNDS / 2 && bounded > ROUNDS / 12, `${decided} ${bounded}`);
});

Deno.test("the start of a violation with assertions is where RegExp finds a match to begin", () => {
  const random = seeded(SEED + 2);
  const alphabet = [0x61, 0x62, 0x63, 0x20, 0x21];
  const more = continuations(alphabet, TRIED);
  let certain = 0;
  for (let round = 0; round < 2 * ROUNDS; round++) {
    const judged: JudgedPolicy = {
      forbid: Array.from({ length: 1 + random.below(3) }, () => regex(random, true)),
      withins: [],
      charset: "bytes",
      require: [],
      maxBytes: null,
    };
    const program = compiled(judged);
    if (program === null) continue;
    for (let text = 0; text < 4; text++) {
      const content = Array.from({ length: 1 + random.below(7) }, () => random.pick(alphabet));
      const { violation } = ran(program, content);
      if (violation === null || violation.offset === content.length) continue;
      const what = `seed ${SEED} round ${round}: ${shown(judged)}, content ${content}`;
      const begun = content.slice(0, violation.offset + 1);
      const futures = more.map((following) =>
        startsOfMatches(judged, [...begun, ...following]).filter((start) => start <= begun.length)
      );
      // A match begins there whatever follows: no later. None may begin there: no earlier.
      const always = futures[0].filter((start) => futures.every((all) => all.includes(start)));
      const ever = Math.min(...futures.flat());
      assert(violation.start >= ever, `${what}: ${violation.start} < ${ever}`);
      if (always.length === 0) continue;
      certain++;
      assert(violation.start <= always[0], `${what}: ${violation.start} > ${always[0]}`);
    }
  }
  assert(certain > ROUNDS / 4, `${certain}`);
});
