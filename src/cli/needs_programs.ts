/** The programs that `vei serve` runs, found as it finds them. */
import { Exit } from "../base/errors.ts";
import { run } from "../host/run.ts";
import { type Check, Lacking, needMissing } from "./need.ts";

interface Program {
  id: string;
  args: string[];
  wanted: string;
  means: string;
  package: string;
}

const PROGRAMS: readonly Program[] = [
  {
    id: "qemu-system-x86_64",
    args: ["--version"],
    wanted: "the virtual machine",
    means: "there is nothing that could run the guest",
    package: "qemu-system-x86",
  },
  {
    id: "bwrap",
    args: ["--version"],
    wanted: "the jail around the virtual machine",
    means: "QEMU would run with the host's files in reach, so it is not started",
    package: "bubblewrap",
  },
  {
    id: "setpriv",
    args: ["--version"],
    wanted: "drops root before QEMU starts",
    means: "QEMU would run as root, so it is not started",
    package: "util-linux",
  },
  {
    id: "prlimit",
    args: ["--version"],
    wanted: "limits what QEMU may use",
    means: "QEMU could fill the disk or the memory, so it is not started",
    package: "util-linux",
  },
  {
    id: "setsid",
    args: ["--version"],
    wanted: "a session of QEMU's own",
    means: "QEMU would share our terminal, so it is not started",
    package: "util-linux",
  },
  {
    id: "nsenter",
    args: ["--version"],
    wanted: "runs programs beside the guest: `vei enclave exec`",
    means: "the guest cannot be asked by hand",
    package: "util-linux",
  },
  {
    id: "ldd",
    args: ["--version"],
    wanted: "tells which libraries the jail has to hold",
    means: "the jail around QEMU cannot be built",
    package: "libc-bin",
  },
];

export const PROGRAM_CHECKS: readonly Check<unknown>[] = PROGRAMS.map((program) => ({
  id: program.id,
  group: "machine",
  wanted: program.wanted,
  needed: true,
  means: program.means,
  mend: `apt-get install ${program.package}`,
  find: () => versionOf(program.id, program.args),
}));

/**
 * A start has no time to run each: that the file is there says most, and the start runs them soon.
 * @throws VeiError `need-missing` naming the first that is not in PATH.
 */
export async function requirePrograms(): Promise<void> {
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder !== "");
  for (const { id, wanted, mend } of PROGRAM_CHECKS) {
    const places = folders.map((folder) => Deno.stat(`${folder}/${id}`));
    const there = await Promise.allSettled(places);
    const runs = (found: PromiseSettledResult<Deno.FileInfo>) =>
      found.status === "fulfilled" && found.value.isFile && (found.value.mode! & 0o111) !== 0;
    if (there.some(runs)) continue;
    throw needMissing({ id, wanted, mend, found: `there is no program ${id}` });
  }
}

/** @returns the first line of what it says. @throws Lacking when it does not start or run. */
export async function versionOf(program: string, args: string[]): Promise<string> {
  let result;
  try {
    result = await run(program, args, { timeoutMs: 30_000 });
  } catch {
    throw new Lacking(`there is no program ${program}`);
  }
  const [line] = (new TextDecoder().decode(result.stdout) || result.stderr).trim().split("\n");
  if (result.code !== Exit.ok) {
    const how = result.timedOut ? "does not end" : `ends with ${result.signal ?? result.code}`;
    throw new Lacking(`${program} ${how}${line === "" ? "" : `: ${line}`}`);
  }
  return line;
}
