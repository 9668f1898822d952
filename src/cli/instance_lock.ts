/** One process at a time works on an instance, whichever state folder it was given. */
import { lockState } from "../../ffi/lock.ts";
import type { Instance } from "../host/instance.ts";

/**
 * Takes the instance for this process: its state folder (the receipts' one writer) and its run
 * folder (tap, pins and QEMU go by the instance's name, and `--state` may differ from run to run).
 * @returns when disposed of, both are free; a run folder with nothing in it is removed.
 * @throws VeiError `state-locked` (75), `state-unwritable`.
 */
export function lockInstance(instance: Instance): Disposable {
  using stack = new DisposableStack();
  stack.use(lockState(instance.state));
  // Readable by all: `vei status` without root looks for the endpoint in there.
  Deno.mkdirSync(instance.run, { recursive: true, mode: 0o755 });
  stack.use(lockState(instance.run));
  stack.defer(() => removeIfUnused(instance.run));
  return stack.move();
}

/** Called while the lock is held: nobody else can be using the folder. */
function removeIfUnused(run: string): void {
  if ([...Deno.readDirSync(run)].some(({ name }) => name !== "lock")) return;
  Deno.removeSync(`${run}/lock`);
  try {
    Deno.removeSync(run);
  } catch {
    // A service manager keeps the folder for us, in one that we cannot write to: it stays, empty.
  }
}
