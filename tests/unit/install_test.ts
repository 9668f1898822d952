/** install.sh: its usage, what it refuses, and that it takes no toolchain but the pinned one. */
import { assertEquals, assertStringIncludes } from "@std/assert";

const TOP = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

interface Ended {
  code: number;
  out: string;
  err: string;
}

async function bash(script: string, args: string[], path?: string): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: [script, ...args],
    env: path === undefined ? {} : { PATH: path },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

/** A copy of install.sh and what it reads in a folder, with these programs in front of the real ones. */
async function withPrograms(
  programs: Record<string, string>,
  test: (run: (...args: string[]) => Promise<Ended>, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-install-" });
  try {
    await Deno.copyFile(`${TOP}/install.sh`, `${folder}/install.sh`);
    await Deno.mkdir(`${folder}/.ci`);
    await Deno.copyFile(`${TOP}/.ci/build.sh`, `${folder}/.ci/build.sh`);
    await Deno.mkdir(`${folder}/bin`);
    for (const [name, body] of Object.entries(programs)) {
      await Deno.writeTextFile(`${folder}/bin/${name}`, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    }
    const path = `${folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
    await test((...args) => bash(`${folder}/install.sh`, args, path), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Says of every package that it is there. */
const ALL_INSTALLED =
  `for name in ca-certificates curl python3 npm; do echo "installed $name"; done`;

Deno.test("it tells its usage; what it does not know it refuses", async () => {
  const help = await bash(`${TOP}/install.sh`, ["--help"]);
  assertEquals(help.code, 0);
  assertStringIncludes(help.out, "./install.sh [COMMAND]");
  const unknown = await bash(`${TOP}/install.sh`, ["frobnicate"]);
  assertEquals([unknown.code, unknown.out], [64, ""]);
  assertStringIncludes(unknown.err, "there is no command frobnicate");
  assertEquals((await bash(`${TOP}/install.sh`, ["build", "now"])).code, 64);
});

Deno.test("installing refuses before anything is done: no root, another file, unknown words", async () => {
  const file = `${TOP}/deno.json`;
  const sum = "0".repeat(64);
  const refusals: [code: number, words: string, args: string[]][] = [
    [77, "installing takes root", []],
    [77, "installing takes root", ["install", "--start"]],
    [77, "installing takes root", ["--binary", file]],
    [65, "is not the file with that SHA-256", ["--binary", file, "--sha256", sum]],
    [66, "there is no /nowhere", ["--binary", "/nowhere"]],
    [64, "does not know --frob", ["install", "--frob"]],
    [64, "a value is missing", ["--binary"]],
    [64, "belongs to --binary", ["--sha256", sum]],
  ];
  await withPrograms({ id: "echo 1000" }, async (run, folder) => {
    for (const [code, words, args] of refusals) {
      const ended = await run(...args);
      assertEquals([ended.code, ended.out], [code, ""], `${args}: ${ended.err}`);
      assertStringIncludes(ended.err, words);
    }
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assertEquals(left, [".ci", "bin", "install.sh"]);
  });
});

Deno.test("missing packages are named, and only root may install them", async () => {
  await withPrograms({ "dpkg-query": `echo "installed curl"`, id: "echo 1000" }, async (run) => {
    const { code, err } = await run("build");
    assertEquals(code, 77, err);
    assertStringIncludes(err, "only root can install them: ca-certificates python3");
  });
});

Deno.test("another kind of machine is told so", async () => {
  const uname = `case $1 in -s) echo Linux;; -m) echo aarch64;; esac`;
  await withPrograms({ uname }, async (run) => {
    const { code, err } = await run("build");
    assertEquals(code, 69);
    assertStringIncludes(err, "Linux/aarch64");
  });
});

Deno.test("an archive that is not the pinned one is refused, and leaves nothing behind", async () => {
  const npm = `
    while [ $# -gt 1 ]; do [ "$1" = --pack-destination ] && to=$2; shift; done
    mkdir -p "$to/package" && echo "echo 2.4.2" > "$to/package/deno"
    tar -czf "$to/made.tgz" -C "$to" package && echo made.tgz`;
  const programs = { npm, deno: "exit 1", curl: "exit 6", "dpkg-query": ALL_INSTALLED };
  await withPrograms(programs, async (run, folder) => {
    const { code, err } = await run("build");
    assertEquals(code, 69, err);
    assertStringIncludes(err, "is not the pinned one");
    assertStringIncludes(err, "cannot be had: neither by npm nor from its own site");
    assertEquals([...Deno.readDirSync(`${folder}/.tools`)], []);
  });
});

Deno.test("a site that hands out another program is refused too", async () => {
  const curl = `while [ $# -gt 1 ]; do [ "$1" = -o ] && to=$2; shift; done
    [ "$to" = /dev/null ] || python3 -c '
import sys, zipfile
zipfile.ZipFile(sys.argv[1], "w").writestr("deno", "not deno")' "$to"`;
  const programs = { npm: "exit 1", deno: "exit 1", curl, "dpkg-query": ALL_INSTALLED };
  await withPrograms(programs, async (run, folder) => {
    const { code, err } = await run("build");
    assertEquals(code, 69, err);
    assertStringIncludes(err, "is not the file that is pinned for deno");
    assertEquals([...Deno.readDirSync(`${folder}/.tools`)], []);
  });
});

Deno.test("the scripts of bash are clean by shellcheck", async () => {
  const { code, stdout } = await new Deno.Command("shellcheck", {
    args: ["-x", ...["install.sh", ".ci/build.sh", ".ci/run"].map((path) => `${TOP}/${path}`)],
  }).output();
  assertEquals([code, new TextDecoder().decode(stdout)], [0, ""]);
});
