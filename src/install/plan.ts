/** What has to be done to each file of an installation: a pure function of what was found. */
import { Exit, VeiError } from "../base/errors.ts";
import type { Content, Found } from "./disk.ts";
import { besideOf } from "./layout.ts";
import type { Manifest } from "./manifest.ts";

/** A file that an installation wants to have. */
export interface WantedFile {
  path: string;
  /** In one or two words, for a person. */
  what: string;
  content: Content;
  sha256: string;
  mode: number;
  /**
   * What is done about a file that somebody else has made or changed. `refuse`: nothing at all is
   * installed; `keep`: it stays; `beside`: it stays, and ours is laid beside it; `news`: the same, if
   * ours is another one than what was installed there.
   */
  foreign: "refuse" | "keep" | "beside" | "news";
  /** Once there, it belongs to the user: never replaced, also when it is still the default. */
  once?: true;
}

export type Action = "make" | "replace" | "unchanged" | "keep" | "remove";

export interface FileStep {
  path: string;
  what: string;
  action: Action;
  /** Why, where the action does not say it by itself. */
  note: string;
  /** Of the content that an installation wants there. */
  sha256: string;
  /** What to write, for `make` and `replace`. */
  wanted?: WantedFile;
}

/**
 * @param found what is at each path, and beside it.
 * @param manifest of the installation that is there.
 * @returns the steps in the order of `wanted`.
 * @throws VeiError `file-foreign`: a file that must be ours is somebody else's.
 */
export function planFiles(
  wanted: readonly WantedFile[],
  found: (path: string) => Found,
  manifest: Manifest | null,
): FileStep[] {
  const known = (path: string) => manifest?.files[path] ?? [];
  const ours = (path: string, there: Found) =>
    there.kind === "file" && known(path).includes(there.sha256);
  return wanted.flatMap((file) => {
    const there = found(file.path);
    const step = (action: Action, note = ""): FileStep => ({
      path: file.path,
      what: file.what,
      action,
      note,
      sha256: file.sha256,
      ...action === "make" || action === "replace" ? { wanted: file } : {},
    });
    const beside = (needed: boolean) => planBeside(file, needed, found, ours);
    if (there.kind === "none") return [step("make"), ...beside(false)];
    if (there.kind === "file" && there.sha256 === file.sha256) {
      return [step("unchanged"), ...beside(false)];
    }
    if (file.once) {
      const news = manifest?.configDefault !== file.sha256;
      return [step("keep", "yours, left as it is"), ...beside(news)];
    }
    if (ours(file.path, there)) return [step("replace"), ...beside(false)];
    if (file.foreign === "refuse") throw foreign(file, there);
    return [
      step("keep", "changed by somebody, left as it is"),
      ...beside(file.foreign === "beside" || !known(file.path).includes(file.sha256)),
    ];
  });
}

/** The default beside a file that is not ours to replace; one that is not needed any more goes. */
function planBeside(
  file: WantedFile,
  needed: boolean,
  found: (path: string) => Found,
  ours: (path: string, there: Found) => boolean,
): FileStep[] {
  if (file.foreign !== "beside" && file.foreign !== "news") return [];
  const path = besideOf(file.path);
  const there = found(path);
  const { what, sha256 } = file;
  const step = { path, what, sha256, note: `the default of this version, beside ${file.path}` };
  const wanted = { ...file, path };
  if (!needed) {
    return ours(path, there) ? [{ ...step, action: "remove", note: "no longer needed" }] : [];
  }
  if (there.kind === "none") return [{ ...step, action: "make", wanted }];
  if (there.kind === "file" && there.sha256 === file.sha256) {
    return [{ ...step, action: "unchanged" }];
  }
  if (ours(path, there)) return [{ ...step, action: "replace", wanted }];
  return [{ ...step, action: "keep", note: "changed by somebody, left as it is" }];
}

function foreign(file: WantedFile, there: Found): VeiError {
  return new VeiError({
    code: "file-foreign",
    message: there.kind === "other"
      ? `${file.path} is there, and is no regular file`
      : `${file.path} is there, and vei install did not put it there`,
    hint: "nothing was changed; move it away and run the same command again",
    exit: Exit.cannotCreate,
  });
}
