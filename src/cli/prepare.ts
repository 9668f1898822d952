/**
 * `vei prepare`: the part of a start that takes all of root's rights and the box's own mount
 * namespace: bpffs, the link namespace with its tap, and the folders that the daemon may write to.
 * The service runs it before the daemon, which then gets along with a few capabilities in a mount
 * namespace of its own. `vei serve`, run by hand as root, does without.
 */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import type { Instance } from "../host/instance.ts";
import { ensureBpffs } from "../../ffi/bpffs.ts";
import { giveTo } from "../../ffi/owner.ts";
import { prepareLink } from "../../enclave/link.ts";
import { endOrphan } from "../../enclave/orphan.ts";
import type { Command } from "./command.ts";
import { lockInstance } from "./instance_lock.ts";
import { CONFIG_OPTION, configPlace, loadConfig } from "./load_config.ts";
import { requireRoot } from "./privilege.ts";

export const command: Command = {
  name: "prepare",
  summary: "make what the daemon needs root for: the service runs this before it",
  usage: "[--config FILE]",
  example: "sudo vei prepare",
  options: CONFIG_OPTION,
  async run({ instance, options, json, terminal }) {
    requireRoot("vei prepare");
    // A service that is stopped meanwhile waits for this short work, and is not taken for failed.
    Deno.addSignalListener("SIGTERM", () => {});
    // A service's mask is meant for the daemon's own files; what is made here is the box's.
    Deno.umask(0o022);
    const { path, named } = configPlace({ instance, options });
    let config;
    try {
      config = await loadConfig(path, { mustExist: named });
    } catch (cause) {
      // systemd starts a service anew whose ExecStartPre fails, whatever its code: the daemon will
      // refuse the same file, and with it that is the end.
      if (!(cause instanceof VeiError) || !Deno.env.has("INVOCATION_ID")) throw cause;
      terminal.err(`vei: nothing is prepared: ${cause.message}`);
      return Exit.ok;
    }
    using _lock = lockInstance(instance);
    const orphan = await endOrphan(instance);
    ensureBpffs();
    makePins(instance);
    using link = prepareLink(instance, config.link);
    giveToDaemon(instance);
    const { made, mended, ifindex } = link;
    const result = { tap: instance.tap, ifindex, made, mended, orphan };
    if (json) terminal.json(result);
    else terminal.err(`${instance.tap} ${made ? "made" : "found as it was made"}, down`);
    return Exit.ok;
  },
};

/**
 * The daemon's user is whoever owns the state folder, as the service's unit has it. What a command of
 * root's has left in its folders becomes that user's, or the daemon could not go on with it.
 */
function giveToDaemon({ state, run, pins }: Instance): void {
  const { uid, gid } = Deno.statSync(state);
  if (uid === null || gid === null || uid === 0) return;
  giveTo(pins, uid, gid);
  for (const folder of [state, run, pins]) {
    for (const { name } of Deno.readDirSync(folder)) {
      const path = `${folder}/${name}`;
      const found = Deno.lstatSync(path);
      // Images and models are folders, and stay root's. A second name could be any file's of the box.
      if (!found.isDirectory && found.nlink === 1 && found.uid !== uid) giveTo(path, uid, gid);
    }
  }
}

/** The folder has to be there before the daemon: only it, not all of bpffs, is writable for it. */
function makePins({ pins }: Instance): void {
  try {
    Deno.mkdirSync(pins, { mode: 0o700 });
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) return;
    throw new VeiError({
      code: "pins-unwritable",
      message: `Cannot make ${pins}: ${messageOf(cause)}`,
      hint: "is /sys/fs/bpf a bpffs? mount -t bpf bpf /sys/fs/bpf",
      exit: Exit.cannotCreate,
      cause,
    });
  }
}
