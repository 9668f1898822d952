/**
 * What the monitor has to do, by its definition: without an automaton, by trying what may follow.
 * Expressions are judged by JavaScript's own RegExp.
 */

export interface JudgedPolicy {
  /** Expressions with flag u and perhaps i, which match no empty text. */
  readonly forbid: readonly RegExp[];
  readonly charset: "utf-8" | "ascii" | "bytes";
  /** Of each the index below which a byte must decide for it to count; null, or none: any. */
  readonly withins: readonly (number | null)[];
  /** The whole text must match each of them. */
  readonly require: readonly RegExp[];
  readonly maxBytes: number | null;
}

export interface Verdict {
  readonly rule: number;
  readonly offset: number;
  readonly start: number;
}

type Bytes = readonly number[];

/** @returns the texts over the alphabet of at most `length` bytes, the empty one first. */
export function continuations(alphabet: Bytes, length: number): Bytes[] {
  const all: Bytes[] = [[]];
  for (let from = 0, n = 0; n < length; n++) {
    const to = all.length;
    for (; from < to; from++) for (const byte of alphabet) all.push([...all[from], byte]);
  }
  return all;
}

const text = (bytes: Bytes) =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));

/** @returns whether the content, which has ended, breaks some rule. */
export function breaksSome(policy: JudgedPolicy, content: Bytes): boolean {
  const said = text(content);
  return policy.forbid.some((regex) => new RegExp(regex.source, regex.flags).test(said)) ||
    policy.require.some(({ source, flags }) => !new RegExp(`^(?:${source})$`, flags).test(said)) ||
    !inCharset(policy.charset, content) ||
    (policy.maxBytes !== null && content.length > policy.maxBytes);
}

function inCharset(charset: JudgedPolicy["charset"], content: Bytes): boolean {
  if (charset === "ascii") return content.every((byte) => byte < 0x80);
  if (charset === "bytes") return true;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(content));
    return true;
  } catch {
    return false;
  }
}

/** @returns whether the content breaks a rule, whatever of these continuations follows. */
export function isLost(policy: JudgedPolicy, content: Bytes, more: readonly Bytes[]): boolean {
  return more.every((following) => breaksSome(policy, [...content, ...following]));
}

/**
 * @returns the policy in parts that are decided each by itself: what has to hold of all bytes, and
 * the rules that have a common `within`. The limit on bytes holds for each.
 */
export function partsOf(policy: JudgedPolicy): JudgedPolicy[] {
  const { forbid, withins } = policy;
  return [...new Set([null, ...withins])].map((within) => {
    const mine = forbid.filter((_, i) => (withins[i] ?? null) === within);
    const elsewhere = within === null ? {} : { require: [], charset: "bytes" as const };
    return { ...policy, forbid: mine, withins: mine.map(() => within), ...elsewhere };
  });
}

/**
 * @param more what may follow: enough for whatever rule there is.
 * @returns the index of the byte that decides, the content's length where its end does, or -1.
 */
export function decidingByte(policy: JudgedPolicy, content: Bytes, more: readonly Bytes[]): number {
  const { maxBytes } = policy;
  let least = maxBytes !== null && content.length > maxBytes ? maxBytes : Infinity;
  for (const part of partsOf(policy)) {
    const unbounded = { ...part, maxBytes: null };
    let offset = content.findIndex((_, i) => isLost(unbounded, content.slice(0, i + 1), more));
    if (offset < 0 && breaksSome(unbounded, content)) offset = content.length;
    if (offset >= 0 && offset < (part.withins[0] ?? Infinity)) least = Math.min(least, offset);
  }
  return least === Infinity ? -1 : least;
}

/**
 * @returns the starts of all matches of the policy's expressions in a text that has ended, as bytes;
 * for texts in ASCII.
 */
export function startsOfMatches({ forbid }: JudgedPolicy, content: Bytes): number[] {
  const said = text(content);
  return [...content.keys(), content.length].filter((at) =>
    forbid.some(({ source, flags }) => {
      const anchored = new RegExp(source, `${flags}y`);
      anchored.lastIndex = at;
      return anchored.test(said);
    })
  );
}

/**
 * Of expressions without assertions, which match as soon as their last character is there.
 * @param begun no byte before the last decided.
 * @returns what the last byte decides, or the end of the content, or null.
 */
export function decidedBy(policy: JudgedPolicy, begun: Bytes, ended: boolean): Verdict | null {
  const { forbid, charset, maxBytes } = policy;
  const found: { rule: number; start: number }[] = [];
  const last = begun.length - 1;
  // The last character may be whole, or broken off by the end, or broken.
  const cut = charset === "bytes" || ended ? 0 : openAtEnd(begun);
  if (cut === 0) found.push(...matchesAtEnd(forbid, begun));
  else {
    // What matches whatever the character becomes, and if it becomes none, is certain already.
    const all = [[0xa8], [0xa9], []].map((more) => matchesAtEnd(forbid, [...begun, ...more]));
    if (all.every((some) => some.length > 0)) found.push(...all.flat());
  }
  if (charset !== "bytes") {
    const start = brokenFrom(charset, begun, ended);
    if (start >= 0) found.push({ rule: forbid.length, start });
  }
  if (!ended && maxBytes !== null && begun.length > maxBytes) {
    found.push({ rule: forbid.length + 1, start: last });
  }
  if (found.length === 0) return null;
  return {
    rule: Math.min(...found.map(({ rule }) => rule)),
    offset: ended ? begun.length : last,
    start: Math.min(...found.map(({ start }) => start)),
  };
}

/** @returns the matches that end where the content does. */
function matchesAtEnd(forbid: readonly RegExp[], content: Bytes) {
  const said = text(content);
  return [...placesOf(content).entries()].flatMap(([at, start]) => {
    if (start === undefined) return [];
    return forbid.flatMap((regex, rule) => {
      const anchored = new RegExp(`(?:${regex.source})$`, `${regex.flags}y`);
      anchored.lastIndex = at;
      return anchored.test(said) ? [{ rule, start }] : [];
    });
  });
}

/** Of each UTF-16 index at which a character begins, or the U+FFFD of what is none, its byte. */
function placesOf(content: Bytes): (number | undefined)[] {
  const places: (number | undefined)[] = [];
  let index = 0;
  for (let byte = 0; byte < content.length;) {
    places[index] = byte;
    // The longest that is a character or begins one; else the byte alone.
    const length = [4, 3, 2].filter((one) => byte + one <= content.length).find((one) => {
      const part = content.slice(byte, byte + one);
      return isCharacter(part) || mayBecomeCharacter(part);
    }) ?? 1;
    index += text(content.slice(byte, byte + length)).length;
    byte += length;
  }
  return places;
}

function isCharacter(part: Bytes): boolean {
  try {
    return [...new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(Uint8Array.from(part))].length === 1;
  } catch {
    return false;
  }
}

/** @returns how many bytes at the end begin a character that may yet become whole. */
function openAtEnd(content: Bytes): number {
  for (let back = 1; back <= Math.min(3, content.length); back++) {
    const part = content.slice(content.length - back);
    if (mayBecomeCharacter(part)) return back;
  }
  return 0;
}

/** By trying: the characters of each length whose UTF-8 begins so. */
function mayBecomeCharacter(part: Bytes): boolean {
  if (part.length === 0 || part[0] < 0xc0) return false;
  const tails = [0x80, 0x90, 0xa0, 0xbf];
  let level: Bytes[] = [part];
  for (let length = part.length; length < 4; length++) {
    level = level.flatMap((one) => tails.map((tail) => [...one, tail]));
    if (level.some(isCharacter)) return true;
  }
  return false;
}

/** @returns where the character begins that the last byte, or the end, breaks; or -1. */
function brokenFrom(charset: "utf-8" | "ascii", content: Bytes, ended: boolean): number {
  const last = content.length - 1;
  if (charset === "ascii") return ended || last < 0 || content[last] < 0x80 ? -1 : last;
  if (ended) {
    const open = openAtEnd(content);
    return open > 0 ? content.length - open : -1;
  }
  if (inCharset("utf-8", content.slice(0, content.length - openAtEnd(content)))) return -1;
  // What was open before it is what it broke.
  const open = openAtEnd(content.slice(0, last));
  return last - open;
}
