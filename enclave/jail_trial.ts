/**
 * QEMU in its jail for a moment, without a guest: whether it starts there, is jailed as it should be
 * (read back from /proc) and answers its monitor. Its processors never run, so that it costs little.
 */
import { openInheritable, unixListen } from "../ffi/process.ts";
import { Exit, messageOf, VeiError } from "../src/base/errors.ts";
import { mustRun } from "../src/host/run.ts";
import { QEMU } from "./closure.ts";
import {
  JAIL_DEVICES,
  JAIL_USER,
  type JailFile,
  limitsFor,
  LOG_BYTES,
  lowerFileLimit,
} from "./jail.ts";
import { checkJail } from "./jail_check.ts";
import { killTree, lastWords, launch, treeOf } from "./launch.ts";
import { programOf, waitUntilGone } from "./processes.ts";
import { bareArguments } from "./qemu_args.ts";
import { Qmp } from "./qmp.ts";

const DEADLINE_MS = 15_000, END_MS = 2000, GRACE_MS = 1000, MEMORY_MIB = 32;

/** What was asked of a jail that works. */
export interface JailTrial {
  /** From the start to QEMU's end, milliseconds. */
  ms: number;
}

/**
 * Takes root. No process and no file of it is left, however it ends.
 * @param folder for its socket and log, nobody else's; its path is at most 90 bytes long.
 * @param files what QEMU needs, see `qemuClosure`.
 * @throws VeiError `jail-trial` with QEMU's or the jail's own last words, `jail-broken`,
 * `program-missing`, `program-failed`, `qmp-…`.
 */
export async function tryJail(
  folder: string,
  files: readonly JailFile[],
  deadlineMs = DEADLINE_MS,
): Promise<JailTrial> {
  const socket = `${folder}/qmp.sock`, log = `${folder}/jail.log`, disk = `${folder}/empty`;
  const began = performance.now();
  await Deno.writeFile(disk, new Uint8Array(512), { mode: 0o600 });
  let child: Deno.ChildProcess | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let talk: Promise<Qmp> | null = null;
  try {
    child = launch({
      log,
      prepare: (keep) => ({
        user: JAIL_USER,
        files,
        // As kernel and initrd are in service: bytes of a descriptor that become a file inside.
        data: [{ fd: keep(openInheritable(disk, "read")), target: "/vm/probe" }],
        devices: JAIL_DEVICES,
        limits: limitsFor(MEMORY_MIB, 0),
        command: [
          QEMU,
          ...bareArguments("tcg", 1, MEMORY_MIB),
          ...["-chardev", `socket,id=q,fd=${keep(unixListen(socket))},server=on,wait=off`],
          ...["-mon", "chardev=q,mode=control", "-S"],
        ],
      }),
    });
    const { status } = child;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(failed(`nothing within ${deadlineMs} ms`, log)), deadlineMs);
    });
    // An end before QEMU was asked to end is told with what it said, and a broken conversation by it.
    const end = status.then(({ code, signal }) => failed(`QEMU ended with ${signal ?? code}`, log));
    talk = converse(child, files, socket, log).catch(async (cause) => {
      throw await within(GRACE_MS, end) ?? cause;
    });
    const qmp = await Promise.race([talk, late]);
    await qmp.quit().catch(() => {});
    const { code, signal } = await Promise.race([status, late]);
    if (code !== 0) throw failed(`QEMU ended with ${signal ?? code} when it was asked to end`, log);
    return { ms: Math.round(performance.now() - began) };
  } finally {
    clearTimeout(timer);
    if (child) {
      await waitUntilGone(killTree(child), END_MS);
      await child.status;
    }
    (await talk?.catch(() => null))?.[Symbol.dispose]();
    for (const path of [socket, log, disk]) await Deno.remove(path).catch(() => {});
  }
}

/** @returns the open conversation, once the jail was read back and QEMU said that it waits. */
async function converse(
  child: Deno.ChildProcess,
  files: readonly JailFile[],
  socket: string,
  log: string,
): Promise<Qmp> {
  const qmp = await Qmp.open(await Deno.connect({ transport: "unix", path: socket }));
  try {
    const qemu = treeOf(child).find(({ pid }) => programOf(pid) === QEMU);
    if (!qemu) throw failed("QEMU cannot be found", log);
    await mustRun("setpriv", lowerFileLimit(qemu.pid, LOG_BYTES));
    checkJail(qemu.pid, {
      targets: [...files.map(({ target }) => target), "/vm/probe"],
      devices: JAIL_DEVICES,
      open: [...JAIL_DEVICES, Deno.realPathSync(log)],
    });
    const state = await qmp.status();
    if (state !== "prelaunch") throw failed(`QEMU says that it is ${state}, not prelaunch`, log);
    return qmp;
  } catch (error) {
    qmp[Symbol.dispose]();
    throw error;
  }
}

/** @returns what comes of the promise, null when that takes longer. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => timer = setTimeout(() => resolve(null), ms));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function failed(what: string, log: string): VeiError {
  const words = lastWords(log);
  return new VeiError({
    code: "jail-trial",
    message: words === "" ? what : `${what}: ${words}`,
    hint: hintFor(words),
    exit: Exit.unavailable,
  });
}

/** What the jail's builders say where a kernel or a container refuses them. */
function hintFor(words: string): string {
  if (/user namespace|Creating new namespace|unshare|No permissions to create/i.test(words)) {
    return "sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000 " +
      "(in a container, user namespaces have to be let in)";
  }
  return "apt-get install --reinstall bubblewrap qemu-system-x86 seabios";
}

/**
 * Gives `work` a folder of its own below /tmp, gone afterwards.
 * @throws what `work` throws.
 */
export async function inTrialFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "vei-doctor-" });
  try {
    return await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true }).catch((cause) => {
      throw new Error(`Cannot remove ${folder}: ${messageOf(cause)}`, { cause });
    });
  }
}
