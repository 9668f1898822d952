/** The compiled program that the tests install. */

const TOP = new URL("../../", import.meta.url).pathname;

/** @returns its path. @throws Error when none is there: what is installed is always a compiled one. */
export async function compiledProgram(): Promise<string> {
  const path = Deno.env.get("VEI_BINARY") ?? `${TOP}dist/vei`;
  try {
    return await Deno.realPath(path);
  } catch {
    throw new Error(`There is no ${path}: run ./install.sh build`);
  }
}

/** Writes the same program with another version number of the same length. */
export async function withVersion(program: string, version: string, to: string): Promise<void> {
  const words = [await currentVersion(), version].map((one) => `"version": "${one}"`);
  await withText(program, [words[0], words[1]], to);
}

/**
 * Writes the same program with another text in its embedded source or settings.
 * @param words the text as it is, and one of the same length to stand in its place.
 */
export async function withText(
  program: string,
  words: [now: string, next: string],
  to: string,
): Promise<void> {
  const bytes = await Deno.readFile(program);
  const [now, next] = words.map((word) => new TextEncoder().encode(word));
  if (now.length !== next.length) throw new RangeError("the texts differ in length");
  let places = 0;
  for (let at = indexOf(bytes, now, 0); at >= 0; at = indexOf(bytes, now, at + now.length)) {
    bytes.set(next, at);
    places++;
  }
  if (places === 0) throw new Error(`${program} does not hold ${words[0]}`);
  await Deno.writeFile(to, bytes, { mode: 0o755 });
}

/** @returns the version in `deno.json`. */
export async function currentVersion(): Promise<string> {
  return JSON.parse(await Deno.readTextFile(`${TOP}deno.json`)).version;
}

function indexOf(bytes: Uint8Array, word: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(word[0], from); at >= 0; at = bytes.indexOf(word[0], at + 1)) {
    if (word.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}
