/** Builds a guest image in a folder: packages → kernel, initial RAM disk, read-only root. */
import { canonicalJson } from "../../src/base/canonical.ts";
import { mustRun } from "../../src/host/run.ts";
import { sha256File } from "../digest.ts";
import type { Progress } from "../progress.ts";
import { Apt } from "./apt.ts";
import { cpioArchive, cpioFile, cpioFolder } from "./cpio.ts";
import { kernelImage, kernelModules } from "./kernel.ts";
import { IMAGE_FILES, type Manifest } from "./manifest.ts";
import { kernelPackages, type Package, withLibraries } from "./packages.ts";
import { GUEST_SCRIPTS, RECIPE, recipeDigest } from "./recipe.ts";
import { libraryClosure } from "./tree.ts";

const ENCODER = new TextEncoder();
const EXECUTABLE = 0o755;

/** The packages of an image, downloaded. */
export interface Ingredients {
  /** As `uname -r`. */
  release: string;
  packages: Package[];
  /** The packages' files, in the same order. */
  files: string[];
}

/**
 * @param folder an empty folder.
 * @param mirror default: the host's.
 * @throws VeiError `packages-unavailable`, `mirror-unknown`, `keyring-missing`.
 */
export async function gather(
  folder: string,
  mirror: string | undefined,
  progress: Progress,
): Promise<Ingredients> {
  const apt = await progress.step(
    `Debian ${RECIPE.suite}: package index`,
    () => Apt.open({ ...RECIPE, folder, mirror }),
  );
  const show = (names: string[]) => apt.show(names);
  const kernel = await kernelPackages(RECIPE.kernel, show);
  const packages = [...await withLibraries(RECIPE.packages, show), ...kernel.packages]
    .sort((a, b) => a.name < b.name ? -1 : 1);
  const bytes = packages.reduce((sum, one) => sum + one.size, 0);
  const files = await progress.step(
    `${packages.length} packages, ${(bytes / 1e6).toFixed(0)} MB`,
    () => apt.download(packages),
  );
  return { release: kernel.release, packages, files };
}

/**
 * The same packages give the same bytes.
 * @param work an empty folder for what is needed on the way.
 * @param out an empty folder for the image: kernel, initrd, root.squashfs, manifest.json.
 * @returns the manifest; its file holds exactly its canonical JSON.
 * @throws VeiError `recipe-outdated`, `program-missing`, `program-failed`.
 */
export async function buildImage(
  ingredients: Ingredients,
  work: string,
  out: string,
  progress: Progress,
): Promise<Manifest> {
  const { release, packages, files } = ingredients;
  const tree = `${work}/tree`;
  await progress.step("Unpack", async () => {
    await Deno.mkdir(tree);
    for (const file of files) await mustRun("dpkg-deb", ["-x", file, tree]);
  });
  await progress.step("Kernel and initial RAM disk", async () => {
    await Deno.copyFile(await kernelImage(tree, release), `${out}/kernel`);
    await Deno.writeFile(`${out}/initrd`, await makeInitrd(tree, release));
  });
  await progress.step("Read-only root", async () => {
    await makeRoot(tree, `${work}/root`);
    await makeSquashfs(`${work}/root`, `${out}/root.squashfs`);
  });
  const described = {} as Manifest["files"];
  for (const name of IMAGE_FILES) {
    const path = `${out}/${name}`;
    await Deno.chmod(path, 0o644);
    described[name] = { sha256: await sha256File(path), size: (await Deno.stat(path)).size };
  }
  const manifest: Manifest = {
    format: 1,
    recipe: await recipeDigest(),
    suite: RECIPE.suite,
    kernel: release,
    packages: packages.map(({ name, version, sha256 }) => ({ name, version, sha256 })),
    files: described,
  };
  await Deno.writeTextFile(`${out}/manifest.json`, canonicalJson(manifest), { mode: 0o644 });
  return manifest;
}

async function makeInitrd(tree: string, release: string): Promise<Uint8Array> {
  const modules = await kernelModules(tree, release, RECIPE.modules);
  // Not compressed: it is small, and unpacking costs an emulated processor more than reading.
  return cpioArchive([
    cpioFolder("bin"),
    cpioFile("bin/busybox", await Deno.readFile(`${tree}/${RECIPE.busybox}`)),
    cpioFolder("dev"),
    // The kernel opens it for the first program's standard streams before devtmpfs is there.
    { path: "dev/console", mode: 0o020600, device: [5, 1] },
    cpioFile("init", ENCODER.encode(GUEST_SCRIPTS.init)),
    cpioFolder("modules"),
    ...modules.map(({ name, content }, index) =>
      cpioFile(`modules/${String(index).padStart(2, "0")}-${name}.ko`, content, 0o644)
    ),
  ]);
}

async function makeRoot(tree: string, root: string): Promise<void> {
  const programs = [...RECIPE.programs, ...RECIPE.plugins];
  const needed = await libraryClosure(tree, programs, RECIPE.libraryFolders);
  for (const path of [...needed, RECIPE.busybox, RECIPE.loader]) {
    await copyIn(`${tree}/${path}`, root, path);
  }
  await makeFolder(root, "etc/vei");
  await writeIn(root, "etc/vei/serve.sh", ENCODER.encode(GUEST_SCRIPTS.serve));
  // Programs name their loader /lib64/…; /usr is merged, as in Debian itself.
  await makeFolder(root, "usr/lib64");
  await makeFolder(root, "usr/sbin");
  const loader = RECIPE.loader.split("/").at(-1)!;
  await Deno.symlink(`../${RECIPE.loader.replace("usr/", "")}`, `${root}/usr/lib64/${loader}`);
  for (const name of ["bin", "lib", "lib64", "sbin"]) {
    await Deno.symlink(`usr/${name}`, `${root}/${name}`);
  }
  for (const name of ["dev", "proc", "sys", "tmp"]) await makeFolder(root, name);
}

async function copyIn(from: string, root: string, path: string): Promise<void> {
  await writeIn(root, path, await Deno.readFile(from));
}

async function writeIn(root: string, path: string, content: Uint8Array): Promise<void> {
  await makeFolder(root, path.split("/").slice(0, -1).join("/"));
  await Deno.writeFile(`${root}/${path}`, content);
  await Deno.chmod(`${root}/${path}`, EXECUTABLE);
}

/** With permissions that do not depend on our umask: they are part of the image. */
async function makeFolder(root: string, path: string): Promise<void> {
  let folder = root;
  for (const name of ["", ...path.split("/")]) {
    if (name !== "") folder += `/${name}`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.chmod(folder, EXECUTABLE);
  }
}

async function makeSquashfs(root: string, out: string): Promise<void> {
  // Nothing is compressed: reading is cheaper than unpacking in an emulated guest, and the bytes
  // then do not depend on the version of the host's compression library.
  await mustRun("mksquashfs", [
    root,
    out,
    "-noappend",
    "-all-root",
    "-no-xattrs",
    "-no-exports",
    ...["-noI", "-noD", "-noF", "-noX"],
    ...["-all-time", "0", "-mkfs-time", "0"],
    ...["-processors", "1"],
    "-quiet",
    "-no-progress",
  ], { env: { PATH: Deno.env.get("PATH") ?? "" }, clearEnv: true, timeoutMs: 120_000 });
}
