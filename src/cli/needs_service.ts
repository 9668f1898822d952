/** What runs: systemd, the unit, the daemon, and what an earlier one left. None of it is needed. */
import { messageOf } from "../base/errors.ts";
import { run } from "../host/run.ts";
import { readDiode } from "../../diodes/manager.ts";
import { readPidFile } from "../../enclave/pid_file.ts";
import { isAlive } from "../../enclave/processes.ts";
import { fetchStatus } from "./endpoint.ts";
import { nameOfProcess } from "./lock_holder.ts";
import { type Check, Lacking, NotTold, requireRootFor } from "./need.ts";

export const UNIT = "vei.service";
const UNIT_FOLDERS = [
  "/etc/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
];
const PROPERTIES = [
  ...["LoadState", "ActiveState", "SubState", "UnitFileState", "Result", "NRestarts"],
  "NeedDaemonReload",
];

const OPTIONAL = { group: "service", needed: false } as const;

export const SERVICE_CHECKS: readonly Check[] = [
  {
    ...OPTIONAL,
    id: "systemd",
    wanted: "starts the daemon with the machine, and again when it ends",
    means: "nobody starts the daemon but you: `vei serve` in a terminal or by your own supervisor",
    mend: "nothing to do, unless the daemon is to start with the machine",
    async find() {
      if (await hasSystemd()) return "it runs this machine";
      throw new Lacking(`process 1 is ${nameOfProcess(1)}`);
    },
  },
  {
    ...OPTIONAL,
    id: "unit",
    wanted: `${UNIT}, for systemd`,
    means: "systemd does not know of vei",
    mend: "vei install",
    async find() {
      const path = await unitPath();
      if (path === null) throw new Lacking("not installed");
      if (!await hasSystemd()) return `${path}; systemd does not run here`;
      const state = await unitState();
      if (state.LoadState !== "loaded" || state.NeedDaemonReload === "yes") {
        throw new Lacking(`${path} is not what systemd has loaded`, "systemctl daemon-reload");
      }
      const words = `${path}: ${state.ActiveState} (${state.SubState}), ${state.UnitFileState}`;
      if (state.ActiveState === "failed") {
        throw new Lacking(`${words}, ${state.Result}`, `journalctl -u ${UNIT} -n 50`);
      }
      return words;
    },
  },
  {
    ...OPTIONAL,
    id: "daemon",
    wanted: "the daemon, ready",
    means: "nobody answers: `vei ask` and the API need it",
    mend: "systemctl start vei, or: vei serve",
    async find({ daemon }) {
      if (!daemon) throw new Lacking("none runs");
      let status;
      try {
        status = await fetchStatus(daemon);
      } catch (cause) {
        throw new NotTold(messageOf(cause), "vei status");
      }
      const words = `${status.phase}, pid ${status.pid}, version ${status.version}`;
      if (status.phase === "gate-lost") throw new Lacking(words, "vei status, then start it again");
      return words;
    },
  },
  {
    ...OPTIONAL,
    id: "orphan",
    wanted: "no virtual machine without its daemon",
    means: "a QEMU of an earlier daemon still runs; it reaches nobody past the gate",
    mend: "vei serve (its start ends exactly that process)",
    find({ daemon, instance }) {
      requireRootFor({ root: Deno.uid() === 0 });
      const file = daemon ? null : readPidFile(instance.run);
      const left = [...file?.parents ?? [], ...file?.qemu ? [file.qemu] : []].filter(isAlive);
      if (left.length > 0) throw new Lacking(`process ${left.at(-1)!.pid} is left`);
      return "none";
    },
  },
  {
    ...OPTIONAL,
    id: "pinned-gate",
    wanted: "a gate that is pinned guards an interface",
    means: "what is pinned guards nothing: its interface is gone",
    mend: "vei diode detach",
    find({ instance }) {
      requireRootFor({ root: Deno.uid() === 0 });
      const pinned = readDiode(instance.pins);
      if (pinned === null) return "none is pinned";
      if (pinned.ifindex === 0) throw new Lacking(`link ${pinned.linkId} has lost its interface`);
      return `link ${pinned.linkId} is pinned and drops without a daemon too`;
    },
  },
];

/** @returns whether systemd is process 1 (sd_booted(3)). */
export async function hasSystemd(): Promise<boolean> {
  return await Deno.lstat("/run/systemd/system").then(
    ({ isDirectory }) => isDirectory,
    () => false,
  );
}

/** @returns the path of the unit's file, null when there is none. */
export async function unitPath(): Promise<string | null> {
  for (const folder of UNIT_FOLDERS) {
    const path = `${folder}/${UNIT}`;
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  return null;
}

/** @returns what systemd says of the unit. @throws VeiError `program-missing`; NotTold. */
export async function unitState(): Promise<Record<string, string>> {
  const args = ["show", UNIT, "--property", PROPERTIES.join(",")];
  const { code, stdout, stderr } = await run("systemctl", args, { timeoutMs: 10_000 });
  if (code !== 0) throw new NotTold(`systemctl ends with ${code}: ${stderr.trim()}`);
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return Object.fromEntries(lines.map((line) => {
    const at = line.indexOf("=");
    return [line.slice(0, at), line.slice(at + 1)];
  }));
}
