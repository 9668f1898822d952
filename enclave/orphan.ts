/** Ends the QEMU that an earlier daemon left behind (kill -9 of the daemon leaves it running). */
import { netnsExists, withNetns } from "../ffi/netns.ts";
import { linkState } from "../ffi/rtnetlink.ts";
import { Tap } from "../ffi/tap.ts";
import { Exit, VeiError } from "../src/base/errors.ts";
import type { Instance } from "../src/host/instance.ts";
import { pidPath, readPidFile, removePidFile, socketPath } from "./pid_file.ts";
import { descendantsOf, isAlive, killAll, type ProcessName, waitUntilGone } from "./processes.ts";

const END_MS = 5000;

/**
 * Kills exactly the processes that RUN/qemu.pid names and waits until they are gone and the tap is
 * free. A pid that another process has meanwhile is left alone.
 * @returns QEMU's pid (or that of its jail, when QEMU had not started yet), null when none ran.
 * @throws VeiError `orphan-lives`, `pid-file-damaged`, `tap-busy`
 */
export async function endOrphan(instance: Instance): Promise<number | null> {
  const file = readPidFile(instance.run);
  if (file === null) return null;
  const named = [...file.parents, ...file.qemu === null ? [] : [file.qemu]].filter(isAlive);
  // Also what they have started since the file was written.
  const all = new Map<number, ProcessName>(named.map((name) => [name.pid, name]));
  for (const { pid } of named) for (const name of descendantsOf(pid)) all.set(name.pid, name);
  killAll([...all.values()]);
  const left = await waitUntilGone([...all.values()], END_MS);
  if (left.length > 0) {
    throw new VeiError({
      code: "orphan-lives",
      message: `The QEMU of an earlier daemon does not end: pid ${left.map((p) => p.pid).join()}`,
      hint: `look at it (ps -p ${left[0].pid}); it is named by ${pidPath(instance.run)}`,
      exit: Exit.tryAgain,
    });
  }
  if (all.size > 0 && netnsExists(instance.netns)) {
    withNetns(instance.netns, () => requireFree(instance.tap));
  }
  removePidFile(instance.run);
  await Deno.remove(socketPath(instance.run)).catch(() => {});
  return named.at(-1)?.pid ?? null;
}

/** @throws VeiError `tap-busy` when somebody else holds it. */
function requireFree(name: string): void {
  // Opening makes a tap that is not there, and would keep one that is not ours.
  if (!linkState(name)?.tun?.persist) return;
  Tap.open(name, { persist: true })[Symbol.dispose]();
}
