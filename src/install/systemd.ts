/** The service manager, where there is one. */
import { Exit, VeiError } from "../base/errors.ts";
import { mustRun, run } from "../host/run.ts";
import { SERVICE } from "./layout.ts";

/** A start may take a boot of the virtual machine, and that some tries. */
const START_MS = 15 * 60_000;
const OTHER_MS = 60_000;

/** @returns whether systemd runs this machine, see sd_booted(3). */
export async function systemdRuns(): Promise<boolean> {
  return await Deno.lstat("/run/systemd/system").then(
    ({ isDirectory }) => isDirectory,
    () => false,
  );
}

export interface ServiceState {
  /** `loaded`, `not-found`, `masked`, … */
  load: string;
  /** `active`, `inactive`, `activating`, `failed`, … */
  active: string;
  /** `enabled`, `disabled`, … */
  enabled: string;
  mainPid: number;
}

/** @returns what systemd says of the service. */
export async function serviceState(): Promise<ServiceState> {
  const names = ["LoadState", "ActiveState", "UnitFileState", "MainPID"];
  const text = await mustRun("systemctl", ["show", `--property=${names.join(",")}`, SERVICE], {
    timeoutMs: OTHER_MS,
  });
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1] ?? "";
  return {
    load: value("LoadState"),
    active: value("ActiveState"),
    enabled: value("UnitFileState"),
    mainPid: Number(value("MainPID")) || 0,
  };
}

/** Lets systemd read its units anew. */
export async function reloadUnits(): Promise<void> {
  await mustRun("systemctl", ["daemon-reload"], { timeoutMs: OTHER_MS });
}

/**
 * Starts the service, now and at each boot, and waits until it says that it is ready.
 * @throws VeiError `service-failed`, `program-failed`.
 */
export async function enableService(): Promise<void> {
  await mustRun("systemctl", ["enable", SERVICE], { timeoutMs: OTHER_MS });
  const { code, stderr } = await run("systemctl", ["start", SERVICE], { timeoutMs: START_MS });
  if (code === 0) return;
  throw new VeiError({
    code: "service-failed",
    message: `${SERVICE} does not get ready: ${stderr.trim().split("\n")[0]}`,
    hint: `its own words: journalctl -u ${SERVICE}; what may be missing: vei doctor`,
    exit: Exit.unavailable,
  });
}

/** Stops the service and keeps it from starting at boot. */
export async function disableService(): Promise<void> {
  await mustRun("systemctl", ["disable", "--now", SERVICE], { timeoutMs: OTHER_MS });
}

/**
 * Restarts the service and waits until systemd takes it for started or failed.
 * @returns what systemctl said when it failed, null when it did not.
 */
export async function restartService(): Promise<string | null> {
  // A failure before may have used up the starts that the unit allows in a while.
  await run("systemctl", ["reset-failed", SERVICE], { timeoutMs: OTHER_MS });
  const { code, stderr, timedOut } = await run("systemctl", ["restart", SERVICE], {
    timeoutMs: START_MS,
  });
  if (code === 0) return null;
  return timedOut ? "it did not start in time" : stderr.trim().split("\n")[0];
}
