/**
 * What a test machine boots: a Debian release's own kernel, busybox, C library and libbpf, from the
 * same signed packages that the guest's image is made of. Kept in the cache until the recipe changes.
 */
import { canonicalJson } from "../../src/base/canonical.ts";
import { sha256 } from "../../src/base/bytes.ts";
import { mustRun } from "../../src/host/run.ts";
import { Apt } from "../../enclave/image/apt.ts";
import { cpioArchive, cpioFile, cpioFolder } from "../../enclave/image/cpio.ts";
import { kernelImage, kernelModules } from "../../enclave/image/kernel.ts";
import { kernelPackages, type Package, withLibraries } from "../../enclave/image/packages.ts";
import { filesUnder } from "../../enclave/image/tree.ts";
import init from "./fixtures/init.sh" with { type: "text" };

const RECIPE = {
  format: 1,
  kernel: "linux-image-cloud-amd64",
  packages: ["busybox-static", "libbpf1", "libc6", "libgcc-s1"],
  /** Where they exist as modules; the rest is built in. */
  modules: ["virtio_pci", "virtio_blk", "squashfs", "tun", "veth"],
};
const CACHE = new URL("../../.cache/kernels", import.meta.url).pathname;

export interface KernelImage {
  /** As `uname -r`. */
  release: string;
  /** `NAME VERSION` of each package. */
  packages: string[];
  /** Paths. `root` is a folder: what the read-only root begins with. */
  kernel: string;
  initrd: string;
  root: string;
}

/**
 * @param suite a Debian release: `bookworm`, `trixie`, `sid`.
 * @returns its image, from the cache or made now.
 * @throws VeiError those of `Apt`.
 */
export async function kernelImageOf(suite: string): Promise<KernelImage> {
  const digest = await sha256(
    new TextEncoder().encode(canonicalJson({ recipe: RECIPE, suite, init })),
  );
  const folder = `${CACHE}/${suite}-${digest.slice(0, 16)}`;
  if (!await Deno.stat(folder).then(() => true, () => false)) {
    await Deno.mkdir(CACHE, { recursive: true });
    await removeForsaken();
    const work = await Deno.makeTempDir({ dir: CACHE, prefix: ".new-" });
    try {
      await build(suite, work);
      await Deno.rename(`${work}/out`, folder);
    } finally {
      await Deno.remove(work, { recursive: true });
    }
  }
  const { release, packages } = JSON.parse(await Deno.readTextFile(`${folder}/manifest.json`));
  return {
    ...{ release, packages },
    kernel: `${folder}/kernel`,
    initrd: `${folder}/initrd`,
    root: `${folder}/root`,
  };
}

/** What a build that was killed has left: nobody builds for an hour. */
async function removeForsaken(): Promise<void> {
  for await (const { name } of Deno.readDir(CACHE)) {
    const { mtime } = await Deno.stat(`${CACHE}/${name}`);
    if (!name.startsWith(".new-") || Date.now() - mtime!.getTime() < 3600_000) continue;
    await Deno.remove(`${CACHE}/${name}`, { recursive: true });
  }
}

async function build(suite: string, work: string): Promise<void> {
  const [tree, out, apt] = ["tree", "out", "apt"].map((name) => `${work}/${name}`);
  for (const folder of [tree, out, apt]) await Deno.mkdir(folder);
  const index = await Apt.open({ folder: apt, suite, component: "main", architecture: "amd64" });
  const show = (names: string[]) => index.show(names);
  const kernel = await kernelPackages(RECIPE.kernel, show);
  const packages = [...kernel.packages, ...await withLibraries(RECIPE.packages, show)];
  for (const file of await index.download(packages)) {
    await mustRun("dpkg-deb", ["-x", file, tree], { timeoutMs: 120_000 });
  }
  await Deno.copyFile(await kernelImage(tree, kernel.release), `${out}/kernel`);
  await Deno.writeFile(`${out}/initrd`, await initrd(tree, kernel.release));
  await makeRoot(tree, `${out}/root`);
  const names = packages.map(({ name, version }: Package) => `${name} ${version}`);
  const manifest = { release: kernel.release, packages: names };
  await Deno.writeTextFile(`${out}/manifest.json`, JSON.stringify(manifest));
}

async function initrd(tree: string, release: string): Promise<Uint8Array> {
  const modules = await kernelModules(tree, release, RECIPE.modules);
  return cpioArchive([
    cpioFolder("bin"),
    cpioFile("bin/busybox", await busybox(tree)),
    cpioFolder("dev"),
    { path: "dev/console", mode: 0o020600, device: [5, 1] },
    cpioFile("init", new TextEncoder().encode(init)),
    cpioFolder("modules"),
    ...modules.map(({ name, content }, index) =>
      cpioFile(`modules/${String(index).padStart(2, "0")}-${name}.ko`, content, 0o644)
    ),
  ]);
}

/** Older releases have it in /bin, which is another folder than /usr/bin in their packages. */
async function busybox(tree: string): Promise<Uint8Array> {
  return await Deno.readFile(`${tree}/usr/bin/busybox`).catch(() =>
    Deno.readFile(`${tree}/bin/busybox`)
  );
}

/** Every shared library of the packages in one folder that the loader looks into. */
async function makeRoot(tree: string, root: string): Promise<void> {
  const libraries = `${root}/usr/lib/x86_64-linux-gnu`;
  for (const folder of [libraries, `${root}/usr/bin`, `${root}/usr/lib64`, `${root}/etc`]) {
    await Deno.mkdir(folder, { recursive: true });
  }
  for (const name of ["dev", "proc", "run", "sys", "tmp", "var"]) {
    await Deno.mkdir(`${root}/${name}`);
  }
  for (const path of await filesUnder(tree)) {
    const [name, folder] = path.split("/").toReversed();
    if (folder !== "x86_64-linux-gnu" || !/\.so(\.|$)/.test(name)) continue;
    // What a link leads to is copied under the link's name.
    await Deno.writeFile(`${libraries}/${name}`, await Deno.readFile(path), { mode: 0o755 });
  }
  const loader = "ld-linux-x86-64.so.2";
  await Deno.symlink(`../lib/x86_64-linux-gnu/${loader}`, `${root}/usr/lib64/${loader}`);
  await Deno.writeFile(`${root}/usr/bin/busybox`, await busybox(tree), { mode: 0o755 });
  for (const name of ["sh", "mkdir", "nsenter", "poweroff", "sleep", "stty"]) {
    await Deno.symlink("busybox", `${root}/usr/bin/${name}`);
  }
  for (const name of ["bin", "lib", "lib64", "sbin"]) {
    await Deno.symlink(name === "sbin" ? "usr/bin" : `usr/${name}`, `${root}/${name}`);
  }
}
