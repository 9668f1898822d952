/** Whether two programs let the same texts pass, and if not a shortest one that tells them apart. */
import { TooManyStates } from "../automaton/explore.ts";
import type { MonitorProgram } from "./monitor.ts";
import { type Part, partsOf, passes } from "./parts.ts";
import { type LongText, shortestFrom, shortestRefused } from "./shortest.ts";

export type Difference =
  /** There is no such text. */
  | { readonly kind: "none" }
  /** `shortest`: no shorter one is known; else it is one, and a shorter one there may be. */
  | { readonly kind: "text"; readonly shortest: boolean } & LongText
  /** More joint states than are looked at. */
  | { readonly kind: "unknown" };

/**
 * @param options `common`: parts that the text has to pass besides; `atByte`: it does not count that
 * only the end is refused.
 * @returns a shortest text that `refusing` refuses and `allowing` lets pass.
 */
export function refusedAndAllowed(
  refusing: MonitorProgram,
  allowing: MonitorProgram,
  { common = [], atByte = false }: { common?: readonly Part[]; atByte?: boolean } = {},
): Difference {
  const asked = [...partsOf(allowing), ...common];
  const most = allowing.maxBytes?.bytes ?? Infinity;
  type Search = (kept: readonly Part[], most: number) => LongText | null;
  const searches = partsOf(refusing)
    .filter((part) => !asked.some((other) => part.sameAs(other)))
    .map((part): Search => (kept, most) => {
      const text = shortestRefused(part, kept, most, atByte);
      return text && { bytes: text.length, text };
    });
  const { maxBytes } = refusing;
  if (maxBytes !== null) {
    searches.push((kept, most) => shortestFrom(kept, maxBytes.bytes + 1, most));
  }

  let best: LongText | null = null;
  let open: Search[] = searches;
  while (open.length > 0) {
    const before: LongText | null = best;
    open = open.filter((search) => {
      // One byte less than what is known already: that may keep a search short.
      const least: number = best === null ? most : best.bytes - 1;
      try {
        best = narrowed(asked, common, (kept) => search(kept, least)) ?? best;
        return false;
      } catch (error) {
        if (!(error instanceof TooManyStates)) throw error;
        return true;
      }
    });
    if (best === before) break;
  }
  const found = best as LongText | null;
  if (found === null) return { kind: open.length > 0 ? "unknown" : "none" };
  return { kind: "text", shortest: open.length === 0, ...found };
}

/**
 * Looks for a text that passes a few parts, and takes in another one only where it breaks what was
 * found: few are needed, and all together have far more joint states.
 */
function narrowed(
  asked: readonly Part[],
  common: readonly Part[],
  search: (kept: readonly Part[]) => LongText | null,
): LongText | null {
  const kept = [...common];
  for (;;) {
    const found = search(kept);
    if (found === null) return null;
    const left = asked.filter((part) => !kept.includes(part));
    const { text } = found;
    const next = text === null ? left[0] : left.find((part) => !passes(part, text));
    if (next === undefined) return found;
    kept.push(next);
  }
}
