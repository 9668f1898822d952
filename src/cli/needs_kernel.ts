/** What VEI needs of the kernel; the trials themselves are in `ffi/probe_list.ts`. */
import { Exit } from "../base/errors.ts";
import { PROBES } from "../../ffi/probe_list.ts";
import { type ProbeResult, runProbes } from "../../ffi/probes.ts";
import { AS_ROOT, type Need, type NeedText, type Place } from "./need.ts";

/** What it means when a probe says no. */
const MEANS: Record<string, string> = {
  "capabilities": "the daemon may not load the gate, make the link or start the jail",
  "libbpf": "the gate cannot be loaded into the kernel",
  "frozen-maps": "the gate's table could be changed under it, so nothing is started",
  "ring-buffer": "the gate could not tell what it drops",
  "xdp-program": "the gate's program does not run in this kernel",
  "tun": "the virtual machine can have no wire",
  "xdp-link": "the gate cannot be held at the wire, alone",
  "bpffs": "the gate would fall when its daemon does",
  "network-namespaces": "the wire cannot be kept apart from the machine's networks",
};

/** What is known of the kernel's needs without looking. */
export const KERNEL_TEXTS: readonly NeedText[] = PROBES.map(({ name, wanted, hint }) => ({
  id: name,
  group: "kernel",
  wanted,
  needed: true,
  means: MEANS[name],
  mend: hint,
}));

/** Without root the lack of capabilities says nothing of the machine. */
function needOf(probe: ProbeResult, root: boolean): Need {
  const { name, wanted, result, detail, hint, exit } = probe;
  const ours = result === "no" && !root && name === "capabilities";
  const untried = result === "unknown" && !root;
  return {
    ...{ id: name, group: "kernel", wanted, found: detail, needed: true, exit },
    result: ours ? "unknown" : result,
    mend: ours || (untried && exit === Exit.noPermission) ? AS_ROOT : hint,
  };
}

/** @returns all of the kernel's needs. */
export function kernelNeeds({ root }: Pick<Place, "root">): Need[] {
  return runProbes().map((probe) => needOf(probe, root));
}

/** What `vei prepare` sees to, and a daemon in a mount namespace of its own cannot try. */
const MADE_BY_PREPARE = ["network-namespaces", "bpffs"];

/** @returns the needs of a start. @param prepared the link's namespace is there already. */
export function startNeeds(prepared: boolean): Need[] {
  const wanted = (name: string) => !prepared || !MADE_BY_PREPARE.includes(name);
  return runProbes(wanted).map((probe) => needOf(probe, true));
}
