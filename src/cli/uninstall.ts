/** `vei uninstall`: takes away what `vei install` put there; what people made stays. */
import { Exit, VeiError } from "../base/errors.ts";
import type { Instance } from "../host/instance.ts";
import { mustRun } from "../host/run.ts";
import { exists, ignoreMissing } from "../host/missing.ts";
import { removeFile, removeIfEmpty } from "../install/disk.ts";
import { SERVICE } from "../install/layout.ts";
import { disableService, reloadUnits, serviceState, systemdRuns } from "../install/systemd.ts";
import { DAEMON_USER } from "../install/unit.ts";
import { removeInstalled } from "../install/uninstall.ts";
import { detachDiode, readDiode } from "../../diodes/manager.ts";
import { removeLink } from "../../enclave/link.ts";
import { endOrphan } from "../../enclave/orphan.ts";
import { interfaceIndex, setUp } from "../../ffi/netdev.ts";
import { netnsExists, withNetns } from "../../ffi/netns.ts";
import { lockState } from "../../ffi/lock.ts";
import type { Command } from "./command.ts";
import { LAYOUT, lockInstallation, machineInstance } from "./installation.ts";
import { ROOT_CACHE } from "./policy_cache.ts";
import { requireRoot } from "./privilege.ts";
import { purge } from "./purge.ts";

/** What `systemctl enable` makes. */
const WANTED_BY = `/etc/systemd/system/multi-user.target.wants/${SERVICE}`;

export const command: Command = {
  name: "uninstall",
  summary: "take away what install put there; receipts stay",
  usage: "[--purge]",
  example: "sudo vei uninstall",
  options: {
    purge: { type: "boolean", describe: "also the key, ALL RECEIPTS, configuration and models" },
  },
  async run(context) {
    const { options, terminal } = context;
    const instance = machineInstance(context, "vei uninstall");
    requireRoot("vei uninstall");
    const say = (what: string, path: string, done: string) =>
      terminal.err(`${what.padEnd(13)} ${path}: ${done}`);
    using _lock = await lockInstallation();
    const systemd = await systemdRuns();
    if (systemd && await stopService()) say("service", SERVICE, "stopped and disabled");
    {
      using _held = holdInstance(instance);
      if (await takeDown(instance)) say("gate", instance.tap, "tap and diode removed");
      await Deno.remove(instance.run, { recursive: true }).catch(ignoreMissing);
    }
    const unit = await exists(LAYOUT.unit);
    if (!systemd) await removeDanglingLink();
    const keep = options.purge === true ? [] : [LAYOUT.config];
    await removeIfThere(`${LAYOUT.library}/trial`);
    await removeIfThere(ROOT_CACHE);
    const installed = await removeInstalled(LAYOUT, keep, say);
    if (systemd && unit) await reloadUnits();
    if (!installed) terminal.err("Nothing that vei install put there was left");
    if (options.purge === true) await purge(instance, say);
    else await keepState(instance, say);
    return Exit.ok;
  },
};

/** @returns whether there was a service. */
async function stopService(): Promise<boolean> {
  const { load, active, enabled } = await serviceState();
  if (load === "not-found" || (active === "inactive" && enabled !== "enabled")) return false;
  await disableService();
  return true;
}

/**
 * Keeps a daemon from starting, and finds one that was started by hand. Makes no folder.
 * @throws VeiError `daemon-running`: nothing has been removed.
 */
function holdInstance({ state, run }: Instance): Disposable {
  using stack = new DisposableStack();
  try {
    for (const folder of [state, run]) if (isFolder(folder)) stack.use(lockState(folder));
  } catch (cause) {
    if (!(cause instanceof VeiError) || cause.code !== "state-locked") throw cause;
    throw new VeiError({
      code: "daemon-running",
      message: `A daemon of the instance vei is running: nothing was removed (${cause.message})`,
      hint: "end it first; `vei status` tells its pid",
      exit: Exit.tryAgain,
      cause,
    });
  }
  return stack.move();
}

/** Tap down first, then QEMU, diode and link. @returns whether there was anything. */
async function takeDown(instance: Instance): Promise<boolean> {
  const { netns, tap, pins } = instance;
  if (netnsExists(netns)) {
    withNetns(netns, () => {
      if (interfaceIndex(tap) !== 0) setUp(tap, false);
    });
  }
  const orphan = await endOrphan(instance);
  const diode = readDiode(pins) !== null;
  if (diode) detachDiode(pins);
  await removeIfEmpty(pins);
  return removeLink(instance) || diode || orphan !== null;
}

/** Where no systemd runs (any more), its link to our unit would point to nothing. */
async function removeDanglingLink(): Promise<void> {
  const target = await Deno.readLink(WANTED_BY).catch(() => null);
  if (target === LAYOUT.unit) await removeFile(WANTED_BY);
}

/** What stays belongs to nobody any more, so to root; a later start gives it to the daemon again. */
async function keepState(
  { state, config }: Instance,
  say: (what: string, path: string, done: string) => void,
): Promise<void> {
  if (await exists(state)) {
    const from = `--from=${DAEMON_USER.id}`;
    await mustRun("chown", ["--recursive", "--no-dereference", from, "root:root", state]);
  }
  const kept: [string, string][] = [["state", state], ["configuration", config]];
  for (const [what, path] of kept) {
    if (await exists(path)) say(what, path, "kept (vei uninstall --purge removes it)");
  }
}

async function removeIfThere(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch(ignoreMissing);
}

function isFolder(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    return false;
  }
}
