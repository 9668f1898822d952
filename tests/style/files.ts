/** The project's own text files, for the tests that read them. */

/** What git ignores, and git itself. */
const NOT_OURS = new Set([".git", ".tools", ".cache", "dist", "node_modules"]);

export interface SourceFile {
  /** From the top of the tree, e.g. `src/base/bytes.ts`. */
  path: string;
  text: string;
}

export const TOP: string = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** @returns every file of the tree that git would keep, sorted by path. */
export function sourceFiles(): SourceFile[] {
  const files: SourceFile[] = [];
  const walk = (folder: string) => {
    for (const entry of Deno.readDirSync(`${TOP}/${folder}`)) {
      const path = folder + entry.name;
      if ((folder === "" && NOT_OURS.has(entry.name)) || entry.name.endsWith(".log")) continue;
      if (entry.isDirectory) walk(`${path}/`);
      else if (entry.name.endsWith(".png")) continue; // A picture has no text.
      else if (entry.isFile) files.push({ path, text: Deno.readTextFileSync(`${TOP}/${path}`) });
    }
  };
  walk("");
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}

/**
 * @returns TypeScript without its comments; strings stay. (A regular expression that holds a quote
 * or two slashes can confuse it; then a name in a comment is reported, never one in code missed,
 * or the tree is wrong in a way that the compiler tells.)
 */
export function withoutComments(text: string): string {
  const token =
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[^]*?\*\//g;
  return text.replace(token, (part) => part.startsWith("//") || part.startsWith("/*") ? " " : part);
}
