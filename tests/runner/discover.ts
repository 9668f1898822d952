/** Which test files there are, and which of them may run beside others. */

/** Where tests live, from the top of the tree. */
const PLACES = ["src", "ffi", "diodes", "enclave", "web", "tests"];

/**
 * What may run in parallel: parts that touch nothing but memory and their own temporary files. All
 * else (kernel, virtual machines, taps, timing) runs one file at a time.
 */
const PARALLEL = [
  "src",
  "web",
  "tests/unit",
  "tests/style",
  "tests/judge",
  "tests/proof",
  "tests/vectors",
];

/** The parts that the newest Deno runs as well. */
const PURE = ["src", "tests/unit", "tests/style"];

function under(file: string, folders: string[]): boolean {
  return folders.some((folder) => file.startsWith(`${folder}/`));
}

export function mayRunInParallel(file: string): boolean {
  return under(file, PARALLEL);
}

export function isPure(file: string): boolean {
  return under(file, PURE);
}

/** @returns the folder that a file is counted under: `src/base`, `ffi`, `tests/kernel`. */
export function folderOf(file: string): string {
  const parts = file.split("/").slice(0, -1);
  const depth = parts[0] === "src" || parts[0] === "tests" ? 2 : 1;
  return file.startsWith("/") ? parts.join("/") : parts.slice(0, depth).join("/") || ".";
}

async function walk(path: string, found: string[]): Promise<void> {
  for await (const entry of Deno.readDir(path)) {
    const inner = `${path}/${entry.name}`;
    if (entry.isDirectory) await walk(inner, found);
    else if (/_test\.tsx?$/.test(entry.name)) found.push(inner);
  }
}

/**
 * @param paths files or folders; none: every place where tests live that is there.
 * @returns the test files, sorted; a file that is named is taken whatever its name.
 * @throws Deno.errors.NotFound when one of `paths` is not there.
 */
export async function findTests(paths: string[]): Promise<string[]> {
  const found: string[] = [];
  const top = [...Deno.readDirSync(".")].map((entry) => entry.name);
  const places = PLACES.filter((place) => top.includes(place));
  for (const path of paths.length > 0 ? paths : places) {
    const clean = path.replace(/^\.\//, "").replace(/\/+$/, "");
    if ((await Deno.stat(clean)).isFile) found.push(clean);
    else await walk(clean, found);
  }
  return [...new Set(found)].sort();
}
