/** Puts another program in the place of the one that is there, and back. */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { sha256File } from "../host/digest.ts";
import { lookAt, makeFile, moveFile, placeFile, removeFile } from "./disk.ts";
import { type Layout, temporaryOf } from "./layout.ts";
import { type Manifest, writeManifest } from "./manifest.ts";

/** A program that lies beside the one in use, whole and flushed, to be tried and then moved in. */
export interface Staged extends AsyncDisposable {
  path: string;
  sha256: string;
}

/**
 * Copies a file beside the program in use. Disposing of it removes it, unless it was moved in.
 * @param expected its digest, where the caller knows it.
 * @throws VeiError `program-unreadable`, `digest-differs`, `install-failed`.
 */
export async function stage(layout: Layout, file: string, expected?: string): Promise<Staged> {
  let sha256: string;
  try {
    sha256 = await sha256File(file);
  } catch (cause) {
    throw new VeiError({
      code: "program-unreadable",
      message: `Cannot read ${file}: ${messageOf(cause)}`,
      hint: "name the file of the new program",
      exit: Exit.noInput,
      cause,
    });
  }
  if (expected !== undefined && expected.toLowerCase() !== sha256) {
    throw new VeiError({
      code: "digest-differs",
      message: `${file} is not the file that was meant: its SHA-256 is ${sha256}`,
      hint: "nothing was changed; download it again, or correct --sha256",
      exit: Exit.data,
    });
  }
  const path = temporaryOf(layout.program);
  await makeFile(path, { copyOf: file }, { mode: 0o755, sha256 });
  return { path, sha256, [Symbol.asyncDispose]: async () => void await removeFile(path) };
}

/**
 * Makes a staged program the one in use and keeps the one that was. The manifest is written first,
 * as pending: whoever installs next does what is left to do.
 */
export async function moveIn(
  layout: Layout,
  manifest: Manifest,
  staged: Staged,
  version: string,
): Promise<void> {
  const { program, previous } = layout;
  const files = { ...manifest.files };
  const ours = (path: string, ...more: string[]) => {
    files[path] = [...new Set([...files[path] ?? [], ...more])];
  };
  ours(previous, ...files[program] ?? []);
  ours(program, staged.sha256);
  await writeManifest(layout.manifest, { ...manifest, version, pending: true, files });
  await keepPrevious(layout);
  await moveFile(staged.path, program);
}

/** Puts the previous program back in its place; it stays the previous one as well. */
export async function moveBack(layout: Layout): Promise<void> {
  const { sha256 } = await mustLookAt(layout.previous);
  await placeFile(layout.program, { copyOf: layout.previous }, { mode: 0o755, sha256 });
}

/** @throws VeiError `previous-missing`. */
export async function mustLookAt(path: string): Promise<{ sha256: string }> {
  const there = await lookAt(path);
  if (there.kind === "file") return there;
  throw new VeiError({
    code: "previous-missing",
    message: `There is no previous program (${path})`,
    hint: "it is kept from the first upgrade on; to install another one: vei upgrade FILE",
    exit: Exit.noInput,
  });
}

/**
 * Keeps the program that is in its place as the previous one; nothing is copied where a second name
 * for the file will do.
 */
export async function keepPrevious({ program, previous }: Layout): Promise<void> {
  const [now, kept] = [await lookAt(program), await lookAt(previous)];
  if (now.kind !== "file") return;
  if (kept.kind === "file" && kept.sha256 === now.sha256) return;
  const temporary = temporaryOf(previous);
  await removeFile(temporary);
  try {
    await Deno.link(program, temporary);
  } catch {
    // Another file system.
    return await placeFile(previous, { copyOf: program }, { mode: 0o755, sha256: now.sha256 });
  }
  await moveFile(temporary, previous);
}
