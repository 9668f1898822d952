/** The guest's kernel and the modules for its initial RAM disk. */
import { mustRun, run } from "../../src/host/run.ts";
import { moduleDepends } from "./elf.ts";
import { filesUnder, recipeOutdated } from "./tree.ts";

/**
 * @returns the path of the kernel's image (bzImage) in a tree of unpacked packages.
 * @throws VeiError `recipe-outdated`.
 */
export async function kernelImage(tree: string, release: string): Promise<string> {
  for (const path of [`usr/lib/modules/${release}/vmlinuz`, `boot/vmlinuz-${release}`]) {
    if (await Deno.stat(`${tree}/${path}`).then(() => true, () => false)) return `${tree}/${path}`;
  }
  throw recipeOutdated(`the kernel's package has no vmlinuz`);
}

export interface Module {
  name: string;
  /** Decompressed, as insmod(8) takes it. */
  content: Uint8Array;
}

/**
 * @param wanted module names; what is built into the kernel is not found and left out.
 * @returns the modules in an order in which they can be loaded.
 */
export async function kernelModules(
  tree: string,
  release: string,
  wanted: readonly string[],
): Promise<Module[]> {
  const files = new Map<string, string>();
  for (const root of [`${tree}/usr/lib/modules/${release}`, `${tree}/lib/modules/${release}`]) {
    if (!await Deno.stat(root).then(() => true, () => false)) continue;
    for (const path of await filesUnder(root)) {
      const match = /([^/]+)\.ko(\.xz|\.zst)?$/.exec(path);
      if (match) files.set(normalName(match[1]), path);
    }
  }
  const ordered = new Map<string, Module>();
  const add = async (name: string) => {
    const path = files.get(normalName(name));
    if (path === undefined || ordered.has(path)) return;
    const content = await readModule(path);
    for (const other of moduleDepends(content)) await add(other);
    ordered.set(path, { name: normalName(name), content });
  };
  for (const name of wanted) await add(name);
  return [...ordered.values()];
}

/** File names have hyphens where the kernel's names have underscores. */
function normalName(name: string): string {
  return name.replaceAll("-", "_");
}

async function readModule(path: string): Promise<Uint8Array> {
  const program = path.endsWith(".xz") ? "xz" : path.endsWith(".zst") ? "zstd" : null;
  if (program === null) return await Deno.readFile(path);
  const result = await run(program, ["-dc", path], { timeoutMs: 60_000 });
  if (result.code !== 0) await mustRun(program, ["-t", path], { timeoutMs: 60_000 });
  return result.stdout;
}
