/**
 * What an installation has put on the machine. It is written before anything is changed (with the
 * digests of the old files and of the new ones) and again when everything is in its place, so that
 * after an interruption it is still known what is ours.
 */
import * as v from "valibot";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { placeFile } from "./disk.ts";

const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

const Schema = v.strictObject({
  format: v.literal(1),
  /** Of the program that is in its place; of the one to come while `pending`. */
  version: v.string(),
  /** Work was begun: each file may be the old one, the new one, or missing. */
  pending: v.boolean(),
  /** Each file with the digests that say that it is ours. */
  files: v.record(v.string(), v.array(digest)),
  /** Folders that were made for them, outermost first. */
  folders: v.array(v.string()),
  /** The default that the configuration file was made from. */
  configDefault: v.nullable(digest),
  /** Users, each with a group of its name and number, that were made here. */
  users: v.array(v.strictObject({ name: v.string(), id: v.number() })),
});

export type Manifest = v.InferOutput<typeof Schema>;

/** @returns the manifest of a machine on which nothing is installed. */
export function emptyManifest(version: string): Manifest {
  return {
    format: 1,
    version,
    pending: false,
    files: {},
    folders: [],
    configDefault: null,
    users: [],
  };
}

/** @returns the manifest, null when nothing is installed. @throws VeiError `manifest-damaged`. */
export async function readManifest(path: string): Promise<Manifest | null> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    throw damaged(path, cause);
  }
  try {
    return v.parse(Schema, JSON.parse(text));
  } catch (cause) {
    throw damaged(path, cause);
  }
}

/** @returns the same manifest in the one order that it is written in. */
export function inOrder(manifest: Manifest): Manifest {
  const byPath = (a: [string, unknown], b: [string, unknown]) => a[0] < b[0] ? -1 : 1;
  return {
    ...emptyManifest(manifest.version),
    ...manifest,
    files: Object.fromEntries(Object.entries(manifest.files).toSorted(byPath)),
    // A folder stands before those in it.
    folders: manifest.folders.toSorted(),
    users: manifest.users.toSorted((a, b) => a.id - b.id),
  };
}

/** Replaces the manifest, durably. Its folder has to be there. */
export async function writeManifest(path: string, manifest: Manifest): Promise<void> {
  await placeFile(path, { text: JSON.stringify(inOrder(manifest), null, 2) + "\n" }, {
    mode: 0o644,
  });
}

function damaged(path: string, cause: unknown): VeiError {
  return new VeiError({
    code: "manifest-damaged",
    message: `Cannot read ${path}, the list of what is installed: ${messageOf(cause)}`,
    hint: "is it of a newer version? use that one's vei; or move the file away and install anew",
    exit: Exit.data,
    cause,
  });
}
