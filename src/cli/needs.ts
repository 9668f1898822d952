/** What `vei` needs of the machine, each found out by trying; for `doctor` and before `serve`. */
import { Exit, type ExitCode, messageOf, VeiError } from "../base/errors.ts";
import type { Instance } from "../host/instance.ts";
import { run } from "../host/run.ts";
import { namedImage } from "../../enclave/images.ts";
import { modelByName } from "../../enclave/models.ts";
import { netnsExists } from "../../ffi/netns.ts";
import { runProbes } from "../../ffi/probes.ts";

export interface Need {
  name: string;
  wanted: string;
  /** What was found. */
  found: string;
  result: "yes" | "no" | "unknown";
  /** Without it `vei serve` cannot work. */
  needed: boolean;
  /** How to mend it; empty when there is nothing to mend. */
  mend: string;
  /** With which code a command ends that cannot do without; default: not available. */
  exit?: ExitCode;
}

interface Program {
  program: string;
  args: string[];
  wanted: string;
  package: string;
  /** Only `vei setup` takes it. */
  setup?: true;
}

const PROGRAMS: readonly Program[] = [
  {
    program: "qemu-system-x86_64",
    args: ["--version"],
    wanted: "the virtual machine",
    package: "qemu-system-x86",
  },
  { program: "bwrap", args: ["--version"], wanted: "the jail around it", package: "bubblewrap" },
  { program: "setpriv", args: ["--version"], wanted: "drops root", package: "util-linux" },
  { program: "prlimit", args: ["--version"], wanted: "limits", package: "util-linux" },
  { program: "nsenter", args: ["--version"], wanted: "vei enclave exec", package: "util-linux" },
  {
    program: "apt-get",
    args: ["--version"],
    wanted: "fetches the guest's packages",
    package: "apt",
    setup: true,
  },
  {
    program: "mksquashfs",
    args: ["-version"],
    wanted: "makes the guest's root",
    package: "squashfs-tools",
    setup: true,
  },
  {
    program: "pip3",
    args: ["--version"],
    wanted: "fetches the default model",
    package: "python3-pip",
    setup: true,
  },
];

/** @returns the needs of the kernel and of programs. */
export async function machineNeeds(): Promise<Need[]> {
  const probes = runProbes().map((probe): Need => ({
    name: probe.name,
    wanted: probe.wanted,
    found: probe.detail,
    result: probe.result,
    needed: probe.needed,
    mend: probe.hint,
    exit: probe.exit,
  }));
  return [...probes, ...await Promise.all(PROGRAMS.map(programNeed))];
}

async function programNeed(program: Program): Promise<Need> {
  const need = { name: program.program, wanted: program.wanted, needed: program.setup !== true };
  const mend = `apt-get install ${program.package}`;
  try {
    const result = await run(program.program, program.args, { timeoutMs: 10_000 });
    const words = new TextDecoder().decode(result.stdout) || result.stderr;
    const [found] = words.trim().split("\n");
    if (result.code === 0 || found !== "") return { ...need, found, result: "yes", mend: "" };
    return { ...need, found: `ends with ${result.code}`, result: "no", mend };
  } catch (cause) {
    return { ...need, found: messageOf(cause), result: "no", mend };
  }
}

/** @returns whether image and model of an instance are there; their digests are `serve`'s business. */
export async function stateNeeds(instance: Instance, model: string): Promise<Need[]> {
  return [
    await stateNeed("image", "the guest's image", async () => {
      const image = await namedImage(instance.state);
      return `sha256:${image.digest}`;
    }),
    await stateNeed("model", "the model's weights", async () => {
      const { name, digest } = await modelByName(instance.state, model);
      return `${name}, sha256:${digest}`;
    }),
  ];
}

async function stateNeed(
  name: string,
  wanted: string,
  look: () => Promise<string>,
): Promise<Need> {
  try {
    return { name, wanted, needed: true, found: await look(), result: "yes", mend: "" };
  } catch (cause) {
    const denied = cause instanceof Error && cause.cause instanceof Deno.errors.PermissionDenied;
    return {
      name,
      wanted,
      needed: true,
      found: denied ? `not readable for us: ${messageOf(cause)}` : messageOf(cause),
      result: denied ? "unknown" : "no",
      mend: cause instanceof VeiError ? cause.hint : "run `vei setup`",
    };
  }
}

/**
 * Before anything is made: everything that `serve` needs is there, and was tried.
 * @throws VeiError `need-missing` naming the first that is not; unknown counts as not there.
 */
export async function requireMachine({ netns }: Instance): Promise<void> {
  for (const need of await machineNeeds()) {
    if (!need.needed || need.result === "yes") continue;
    // One that is there need not be made: under a service manager `vei prepare` has done it, and
    // we, in a mount namespace of our own, could not.
    if (need.name === "network-namespaces" && netnsExists(netns)) continue;
    throw new VeiError({
      code: "need-missing",
      message: `${need.name} (${need.wanted}): ${need.found}`,
      hint: need.mend === "" ? "run `vei doctor`" : need.mend,
      exit: need.exit ?? Exit.unavailable,
    });
  }
}
