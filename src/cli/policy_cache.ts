/**
 * Compiled policies, kept as files: dozens of expressions take seconds to compile. A file is named
 * by the digest of what it was made from; one that is damaged, or of another program, is made anew.
 */
import { deserialize, serialize } from "node:v8";
import { type CompiledPolicy, compilePolicy, digestOf, type Programs } from "../api/policy.ts";
import { concat, sha256 } from "../base/bytes.ts";
import type { CommandContext } from "./command.ts";
import type { Timed } from "./compile_apart.ts";
import type { NamedText } from "./named_text.ts";
import { VERSION } from "./version.ts";

/** What compiles faster is not kept. ms. */
const WORTH_MS = 50;
/** Files that are kept; the oldest go. */
const KEPT = 16;
const DIGEST_LENGTH = 64;

/** What commands keep that work without an instance's state, and are root's. */
export const ROOT_CACHE = "/var/cache/vei";

/**
 * @returns a policy as `cachedPolicy`, for a command that has no need of a state folder: where one is
 * named it is kept there; else root keeps it where only root writes, anybody else in their own cache
 * ($XDG_CACHE_HOME, or ~/.cache).
 */
export async function cachedForUser(
  { text, path }: NamedText,
  { options, instance }: Pick<CommandContext, "options" | "instance">,
): Promise<CompiledPolicy> {
  const folder = options.state === undefined ? userCache() : instance.state;
  // From the source, nothing tells whether the compiler is another one than it was.
  if (folder === null || !Deno.build.standalone) return await compilePolicy(text, path);
  return await cachedPolicy(text, path, `${folder}/policies`);
}

function userCache(): string | null {
  if (Deno.uid() === 0) return ROOT_CACHE;
  const [cache, home] = [Deno.env.get("XDG_CACHE_HOME"), Deno.env.get("HOME")];
  // A relative path is to be ignored (XDG Base Directory Specification).
  if (cache?.startsWith("/")) return `${cache}/vei`;
  return home?.startsWith("/") ? `${home}/.cache/vei` : null;
}

/**
 * @param folder of the cache; made when there is something to keep. What cannot be written is not
 * kept.
 * @param compile what compiles a policy that is not known.
 * @param keep whether that is then kept.
 * @throws VeiError `policy-…`.
 */
export async function cachedPolicy(
  text: string,
  path: string,
  folder: string,
  compile: (text: string, path: string) => Promise<Timed> = compiledHere,
  keep = true,
): Promise<CompiledPolicy> {
  const file = `${folder}/${await keyOf(text)}`;
  const known = await read(file);
  if (known !== null) return await compilePolicy(text, path, known);
  const { compiled, ms } = await compile(text, path);
  if (keep && ms > WORTH_MS) await write(folder, file, compiled);
  return compiled;
}

async function compiledHere(text: string, path: string): Promise<Timed> {
  const begun = performance.now();
  const compiled = await compilePolicy(text, path);
  return { compiled, ms: performance.now() - begun };
}

/** Another program compiles otherwise, perhaps: it is told by its version and its file. */
async function keyOf(text: string): Promise<string> {
  const { size, mtime, ino } = await Deno.stat(Deno.execPath());
  const program = `${VERSION} ${size} ${mtime?.getTime()} ${ino}`;
  return await sha256(new TextEncoder().encode(`${program}\n${text}`));
}

/** What a file holds behind its digest. */
interface Kept {
  programs: Programs;
  /** SHA-256 of the programs as they were when they were compiled. */
  automata: string;
}

function inOrder({ output, input, echo }: Programs) {
  return [output, input, echo];
}

/** @returns what the file holds; null where there is none, or a damaged one. */
async function read(file: string): Promise<Programs | null> {
  try {
    const bytes = await Deno.readFile(file);
    const digest = new TextDecoder().decode(bytes.subarray(0, DIGEST_LENGTH));
    // A copy: of a view that does not begin where its buffer does, deserialize takes the numbers of
    // arrays from elsewhere in the buffer (Deno 2.4).
    const body = bytes.slice(DIGEST_LENGTH);
    if (await sha256(body) !== digest) return null;
    const { programs, automata } = deserialize(body) as Kept;
    // What was read is what was written, and not only its bytes.
    return await digestOf(inOrder(programs)) === automata ? programs : null;
  } catch {
    return null;
  }
}

async function write(
  folder: string,
  file: string,
  { output, input, echo }: CompiledPolicy,
): Promise<void> {
  const programs: Programs = { output, input, echo };
  const kept: Kept = { programs, automata: await digestOf(inOrder(programs)) };
  const body = new Uint8Array(serialize(kept));
  const temporary = `${file}.${crypto.randomUUID()}`;
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const digest = new TextEncoder().encode(await sha256(body));
    await Deno.writeFile(temporary, concat(digest, body), { mode: 0o600 });
    await Deno.rename(temporary, file);
    await forgetOld(folder);
  } catch {
    await Deno.remove(temporary).catch(() => {});
  }
}

async function forgetOld(folder: string): Promise<void> {
  const files: { path: string; time: number }[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    files.push({ path, time: (await Deno.stat(path)).mtime?.getTime() ?? 0 });
  }
  files.sort((a, b) => b.time - a.time);
  for (const { path } of files.slice(KEPT)) await Deno.remove(path);
}
