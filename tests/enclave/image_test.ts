/** The guest's image: its parts by themselves, and the whole from Debian's packages. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VeiError } from "../../src/base/errors.ts";
import { cpioArchive, cpioFile, cpioFolder } from "../../enclave/image/cpio.ts";
import { moduleDepends, readElf } from "../../enclave/image/elf.ts";
import { buildImage, gather } from "../../enclave/image/build.ts";
import { parseManifest } from "../../enclave/image/manifest.ts";
import {
  kernelPackages,
  type Package,
  parseIndex,
  withLibraries,
} from "../../enclave/image/packages.ts";
import { recipeDigest } from "../../enclave/image/recipe.ts";
import { differencesFromTested, TESTED } from "../../enclave/image/tested.ts";
import { libraryClosure } from "../../enclave/image/tree.ts";
import { currentImage, installImage, namedImage } from "../../enclave/images.ts";
import { silentProgress } from "../../enclave/progress.ts";
import { makeFakeImage, withFolder } from "./setup_support.ts";

const DIGEST = "ab".repeat(32);

function stanza(name: string, depends = ""): string {
  return `Package: ${name}\nVersion: 1:2.3-4\nSize: 10\nSHA256: ${DIGEST}\n` +
    `Description: one\n Package: nothing\n${depends && `Depends: ${depends}\n`}`;
}

function index(...stanzas: string[]): (names: string[]) => Promise<Package[]> {
  const all = parseIndex(stanzas.join("\n"));
  return (names) => Promise.resolve(all.filter((one) => names.includes(one.name)));
}

Deno.test("the package index is read strictly", () => {
  const text = `${stanza("aa", "libb1 (>= 2), c | d, e:any")}\n\n${stanza("aa")}\n`;
  assertEquals(parseIndex(text), [
    { name: "aa", version: "1:2.3-4", sha256: DIGEST, size: 10, depends: ["libb1", "c", "e"] },
  ]);
  assertThrows(() => parseIndex(stanza("aa").replace("Size: 10", "Size: -1")), SyntaxError, "Size");
  assertThrows(() => parseIndex(stanza("../aa")), SyntaxError, "Package");
  assertThrows(() => parseIndex(stanza("aa").replace(DIGEST, "00")), SyntaxError, "SHA256");
});

Deno.test("only shared libraries are followed, to the end", async () => {
  const show = index(
    stanza("tool", "libone1, debconf, curl"),
    stanza("libone1", "libtwo3t64, libc-data, zlib1g, libone1"),
    stanza("libtwo3t64", "tool"),
    stanza("zlib1g"),
  );
  const found = await withLibraries(["tool"], show);
  assertEquals(found.map(({ name }) => name), ["libone1", "libtwo3t64", "tool", "zlib1g"]);
  await assertRejects(() => withLibraries(["tool", "gone"], show), Error, "no package gone");
});

Deno.test("the kernel is in one package or in two", async () => {
  const meta = stanza("linux-image-cloud-amd64", "linux-base, linux-image-7.1-cloud-amd64 (= 1)");
  const split = "linux-base-7.1, linux-binary-7.1-cloud-amd64, linux-modules-7.1-cloud-amd64";
  const two = await kernelPackages(
    "linux-image-cloud-amd64",
    index(
      meta,
      stanza("linux-image-7.1-cloud-amd64", split),
      stanza("linux-binary-7.1-cloud-amd64"),
      stanza("linux-modules-7.1-cloud-amd64"),
    ),
  );
  assertEquals(two.release, "7.1-cloud-amd64");
  assertEquals(two.packages.length, 2);
  const one = await kernelPackages(
    "linux-image-cloud-amd64",
    index(meta, stanza("linux-image-7.1-cloud-amd64", "kmod")),
  );
  assertEquals(one.packages.map(({ name }) => name), ["linux-image-7.1-cloud-amd64"]);
});

Deno.test("libraries are found as the loader finds them", async () => {
  const path = await Deno.realPath(Deno.execPath());
  const output = await new Deno.Command("ldd", { args: [path] }).output();
  const told = [...new TextDecoder().decode(output.stdout).matchAll(/=> (\/\S+)/g)].map((m) =>
    m[1]
  );
  const folders = ["lib/x86_64-linux-gnu", "lib64", "usr/lib/x86_64-linux-gnu"];
  const found = await libraryClosure("/", [path.slice(1)], folders);
  const names = (paths: string[]) => paths.map((one) => one.split("/").at(-1)!).sort();
  assertEquals(
    names(found).filter((name) => !name.startsWith("ld-linux") && !path.endsWith(`/${name}`)),
    names(told),
  );
});

Deno.test("a damaged ELF file is refused", async () => {
  const bytes = await Deno.readFile("/bin/true");
  assert(readElf(bytes).needed.includes("libc.so.6"));
  assertThrows(() => readElf(bytes.subarray(0, 40)), SyntaxError);
  assertThrows(() => readElf(bytes.subarray(0, 2000)), RangeError);
  assertThrows(() => readElf(new TextEncoder().encode("#!/bin/sh\n".repeat(10))), SyntaxError);
});

Deno.test("a module names what it depends on", () => {
  const text = (s: string) => new TextEncoder().encode(s);
  assertEquals(moduleDepends(text("x\0license=GPL\0depends=a,b_c\0name=x\0")), ["a", "b_c"]);
  assertEquals(moduleDepends(text("x\0depends=\0")), []);
  assertEquals(moduleDepends(text("x\0license=GPL\0")), []);
});

Deno.test("the archive is one that cpio reads", async () => {
  await withFolder(async (folder) => {
    const content = new TextEncoder().encode("hello");
    const bytes = cpioArchive([
      cpioFolder("bin"),
      cpioFile("bin/one", content),
      cpioFile("empty", new Uint8Array(), 0o600),
    ]);
    assertEquals(bytes.length % 512, 0);
    await Deno.writeFile(`${folder}/a.cpio`, bytes);
    const script = "cpio -idm --quiet < a.cpio && stat -c '%n %a' bin bin/one empty";
    const output = await new Deno.Command("sh", { args: ["-c", script], cwd: folder }).output();
    assertEquals(
      new TextDecoder().decode(output.stdout),
      "bin 755\nbin/one 755\nempty 600\n",
    );
    assertEquals(await Deno.readTextFile(`${folder}/bin/one`), "hello");
  });
});

Deno.test("a change of packages is told by name", async () => {
  await withFolder(async (folder) => {
    const manifest = await makeFakeImage(folder);
    const tested = { image: DIGEST, recipe: DIGEST, packages: { one: "1.0", gone: "3" } };
    assertEquals(differencesFromTested({ digest: DIGEST, manifest }, tested), []);
    assertEquals(differencesFromTested({ digest: "00", manifest }, tested), [
      "one is 1.1; tested was 1.0",
      "gone is not used; tested was 3",
    ]);
    const same = { ...tested, packages: { one: "1.1" } };
    assertEquals(differencesFromTested({ digest: "00", manifest }, same).length, 1);
  });
});

Deno.test("the table of what was tested belongs to this recipe", async () => {
  assertEquals(TESTED.recipe, await recipeDigest());
});

Deno.test("an image is found, and every damage to it", async () => {
  await withFolder(async (state) => {
    const missing = await assertRejects(() => currentImage(state), VeiError);
    assertEquals([missing.code, missing.exit], ["image-missing", 78]);
    await makeFakeImage(`${state}/built`);
    const digest = await installImage(state, `${state}/built`);
    const image = await currentImage(state);
    assertEquals([image.digest, image.kernel], [digest, `${state}/images/${digest}/kernel`]);
    for (const path of [image.root, `${state}/images/${digest}/manifest.json`]) {
      const bytes = await Deno.readFile(path);
      const other = bytes.slice();
      other[bytes.length >> 1] ^= 1;
      for (const damage of [other, bytes.subarray(1), null]) {
        if (damage) await Deno.writeFile(path, damage);
        else await Deno.remove(path);
        const error = await assertRejects(() => currentImage(state), VeiError);
        assertEquals([error.code, error.exit], ["image-damaged", 78]);
        await Deno.writeFile(path, bytes);
      }
    }
    await currentImage(state);
    await Deno.remove(`${state}/images/current`);
    await Deno.symlink("../../elsewhere", `${state}/images/current`);
    assertEquals((await assertRejects(() => currentImage(state), VeiError)).code, "image-damaged");
  });
});

Deno.test("the previous image stays, older ones go", async () => {
  await withFolder(async (state) => {
    const digests: string[] = [];
    for (const version of ["1", "2", "3"]) {
      await makeFakeImage(`${state}/built`, version);
      digests.push(await installImage(state, `${state}/built`));
    }
    assertEquals((await namedImage(state)).digest, digests[2]);
    const left = [...Deno.readDirSync(`${state}/images`)].map((entry) => entry.name).sort();
    assertEquals(left, ["current", digests[1], digests[2]].sort());
  });
});

Deno.test("the same packages give the same image", async () => {
  await withFolder(async (folder) => {
    for (const name of ["apt", "b1", "b2", "o1", "o2"]) await Deno.mkdir(`${folder}/${name}`);
    const ingredients = await gather(`${folder}/apt`, undefined, silentProgress());
    const first = await buildImage(ingredients, `${folder}/b1`, `${folder}/o1`, silentProgress());
    // Another umask and a later time must not show.
    const before = Deno.umask(0o077);
    try {
      await buildImage(ingredients, `${folder}/b2`, `${folder}/o2`, silentProgress());
    } finally {
      Deno.umask(before);
    }
    const read = (name: string) => Deno.readTextFile(`${folder}/${name}/manifest.json`);
    assertEquals(await read("o2"), await read("o1"));
    assertEquals(parseManifest(await read("o1")), first);
    for (const { name, sha256 } of ingredients.packages) {
      assertEquals(first.packages.find((one) => one.name === name)?.sha256, sha256);
    }
  });
});
