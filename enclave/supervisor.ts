/**
 * Boots the virtual machine behind a diode that is up already, and ends it. A boot has a deadline
 * and is tried several times (emulation hangs now and then); every QEMU is read back from /proc
 * before the guest may be asked anything.
 */
import { openInheritable, unixListen } from "../ffi/process.ts";
import type { Tap } from "../ffi/tap.ts";
import { parseSize } from "../src/base/bytes.ts";
import type { Config } from "../src/base/config.ts";
import { Exit, VeiError } from "../src/base/errors.ts";
import type { Instance } from "../src/host/instance.ts";
import { mustRun } from "../src/host/run.ts";
import { QEMU, qemuClosure, requireBuilders } from "./closure.ts";
import { isReady } from "./health.ts";
import {
  JAIL_DEVICES,
  JAIL_USER,
  type JailFile,
  limitsFor,
  LOG_BYTES,
  lowerFileLimit,
} from "./jail.ts";
import { checkJail } from "./jail_check.ts";
import { type AccelChoice, chooseAccel, KVM } from "./kvm_trial.ts";
import { killTree, lastWords, launch, treeOf } from "./launch.ts";
import { type PidFile, pidPath, socketPath, writePidFile } from "./pid_file.ts";
import { killAll, nameOf, type ProcessName, programOf, waitUntilGone } from "./processes.ts";
import { INITRD_IN_JAIL, KERNEL_IN_JAIL, qemuArguments } from "./qemu_args.ts";
import { Qmp } from "./qmp.ts";

export interface BootOptions {
  instance: Instance;
  config: Pick<Config, "enclave" | "link">;
  /** Paths of the guest's parts. */
  image: { kernel: string; initrd: string; root: string };
  model: { path: string };
  /** The guest's wire. It stays the caller's; QEMU gets a copy of the descriptor. */
  tap: Tap;
  /** Aborting it while the virtual machine boots kills it at once; later it means nothing. */
  signal?: AbortSignal;
  /** Told of each attempt, its number from 1 and what happens, in words. */
  onAttempt?: (attempt: number, text: string) => void;
  /** For tests; the defaults are what the user gets. */
  timing?: Partial<Timing>;
  halted?: boolean;
}

export interface Timing {
  /** From the start of QEMU to a server that answers. */
  readyMs: number;
  attempts: number;
  /** Before the second attempt; doubled for each further one. */
  backoffMs: number;
}

const TIMING: Timing = { readyMs: 75_000, attempts: 3, backoffMs: 500 };
const POLL_MS = 250, QUIT_MS = 2000, END_MS = 5000;

export const logPath = (instance: Instance): string => `${instance.run}/qemu.log`;

/** A running virtual machine. */
export class Enclave implements AsyncDisposable {
  /** Resolves, in words, when no process of it is left; never rejects. */
  readonly ended: Promise<string>;
  private readonly child: Deno.ChildProcess;
  private qemu: ProcessName | null = null;
  /** QEMU and its jail, once it runs: when one of them ends, the others lose their descent. */
  private processes: readonly ProcessName[] = [];
  private qmp: Qmp | null = null;
  private whyKilled: string | null = null;
  private command: readonly string[] = [];
  private readiness: Promise<void> = Promise.resolve();

  private constructor(
    private readonly options: BootOptions,
    private readonly files: readonly JailFile[],
    private readonly choice: AccelChoice,
  ) {
    this.child = this.spawn();
    this.ended = this.watch();
    this.writePids({ qemu: null, parents: [nameOf(this.child.pid)] });
  }

  /** QEMU's pid. */
  get pid(): number | null {
    return this.qemu?.pid ?? null;
  }
  /** Program and arguments of QEMU inside its jail; receipts bind them. */
  get qemuCommand(): readonly string[] {
    return this.command;
  }
  get accel(): AccelChoice["accel"] {
    return this.choice.accel;
  }
  get accelReason(): string {
    return this.choice.reason;
  }

  /**
   * Boots until the model server answers; the calling thread is in the link namespace, the tap is
   * up behind its diode.
   * @throws VeiError `enclave-not-ready` after the last attempt, `boot-cancelled` when the signal
   * was aborted, `jail-broken`, `kvm-not-working`, `qemu-missing`, `jail-program-missing`, … No process is left then.
   */
  static async boot(options: BootOptions): Promise<Enclave> {
    const { instance, config, onAttempt } = options;
    const timing = { ...TIMING, ...options.timing };
    await requireBuilders();
    const files = await qemuClosure();
    let choice = await chooseAccel(config.enclave.accel, instance.run, files);
    for (let attempt = 1;; attempt++) {
      if (options.signal?.aborted) throw cancelled();
      onAttempt?.(
        attempt,
        `booting the virtual machine, attempt ${attempt} of ${timing.attempts} ` +
          `(${choice.accel === "kvm" ? "KVM" : "emulated"}; ${choice.reason})`,
      );
      const enclave = new Enclave(options, files, choice);
      try {
        await enclave.becomeReady(timing.readyMs);
        return enclave;
      } catch (error) {
        enclave.kill("it did not become ready");
        await enclave.ended;
        await enclave.readiness;
        if (options.signal?.aborted) throw cancelled();
        if (!(error instanceof VeiError) || !RETRIED.has(error.code)) throw error;
        if (attempt >= timing.attempts) throw notReady(attempt, error, instance);
        onAttempt?.(attempt, `attempt ${attempt} failed: ${error.message}; trying again`);
        if (choice.accel === "kvm" && config.enclave.accel === "auto") {
          choice = { accel: "tcg", reason: `KVM did not boot the guest: ${error.message}` };
        }
        await sleep(timing.backoffMs * 2 ** (attempt - 1), options.signal);
      }
    }
  }

  private spawn(): Deno.ChildProcess {
    const { config, image, instance, model, tap } = this.options;
    const memoryMiB = Math.ceil(parseSize(config.enclave.memory) / 2 ** 20);
    const fileBytes = Math.max(Deno.statSync(image.kernel).size, Deno.statSync(image.initrd).size);
    try {
      return launch({
        log: logPath(instance),
        prepare: (keep) => {
          const read = (path: string) => keep(openInheritable(Deno.realPathSync(path), "read"));
          tap.inheritable(true);
          return {
            user: JAIL_USER,
            files: this.files,
            data: [
              { fd: read(image.kernel), target: KERNEL_IN_JAIL },
              { fd: read(image.initrd), target: INITRD_IN_JAIL },
            ],
            devices: this.devices(),
            limits: limitsFor(memoryMiB, fileBytes),
            command: this.command = qemuArguments({
              program: QEMU,
              accel: this.choice.accel,
              threads: threadsOf(config.enclave.threads),
              memoryMiB,
              context: config.enclave.context,
              host: config.link.host,
              guest: config.link.guest,
              fds: {
                qmp: keep(unixListen(socketPath(instance.run))),
                tap: tap.fd,
                root: read(image.root),
                model: read(model.path),
              },
              halted: this.options.halted,
            }),
          };
        },
      });
    } finally {
      tap.inheritable(false);
    }
  }

  private devices(): string[] {
    return this.choice.accel === "kvm" ? [...JAIL_DEVICES, KVM] : [...JAIL_DEVICES];
  }

  /** Monitor, jail read back, then the server's own word; all within one deadline. */
  private async becomeReady(ms: number): Promise<void> {
    const stop = new AbortController();
    const { signal } = this.options;
    const onAbort = () => this.kill("cancelled");
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    const late = setTimeout(() => stop.abort(), ms);
    try {
      const ready = this.prepareAndPoll(stop.signal);
      this.readiness = ready.catch(() => {}); // Told by the race, unless something else came first.
      await Promise.race([
        ready,
        this.ended.then((how) => {
          throw failed("enclave-ended", `QEMU ended before it was ready (${how})`, this.options);
        }),
        aborted(stop.signal).then(() => {
          throw failed("enclave-late", `nothing answered within ${ms / 1000} s`, this.options);
        }),
      ]);
    } finally {
      clearTimeout(late);
      stop.abort();
      signal?.removeEventListener("abort", onAbort);
    }
    // From now on a cancelled caller ends it in its own way.
  }

  private async prepareAndPoll(stop: AbortSignal): Promise<void> {
    const { config, instance, model, image } = this.options;
    const connection = await Deno.connect({ transport: "unix", path: socketPath(instance.run) });
    try {
      this.qmp = await Qmp.open(connection);
    } catch (error) {
      // Its end is told better by the process's own.
      if (error instanceof VeiError && error.code === "qmp-ended") return await never(stop);
      throw error;
    }
    this.qmp.ended.then((fault) => {
      if (fault !== null) this.kill(fault.message);
    });
    this.identify();
    const pid = this.qemu!.pid;
    await mustRun("setpriv", lowerFileLimit(pid, LOG_BYTES));
    checkJail(pid, {
      targets: [...this.files.map(({ target }) => target), KERNEL_IN_JAIL, INITRD_IN_JAIL],
      devices: this.devices(),
      open: [
        ...["/dev/null", "/dev/net/tun", ...this.devices()],
        ...[logPath(instance), image.root, model.path].map((path) => Deno.realPathSync(path)),
      ],
    });
    while (!stop.aborted) {
      if (await isReady(config.link.guest, config.link.host, stop)) return;
      await sleep(POLL_MS, stop);
    }
  }

  /** Finds QEMU below what was started (setpriv, bubblewrap, bubblewrap as process 1). */
  private identify(): void {
    const tree = treeOf(this.child);
    const at = tree.findIndex(({ pid }) => programOf(pid) === QEMU);
    if (at < 0) throw failed("enclave-ended", "QEMU cannot be found", this.options);
    this.qemu = tree[at];
    this.processes = tree;
    this.writePids({ qemu: this.qemu, parents: tree.filter((_, i) => i !== at) });
  }

  private writePids({ qemu, parents }: { qemu: PidFile["qemu"]; parents: (ProcessName | null)[] }) {
    writePidFile(this.options.instance.run, {
      qemu,
      parents: parents.filter((name) => name !== null),
    });
  }

  private async watch(): Promise<string> {
    const status = await this.child.status;
    // Bubblewrap outside may end alone; what it jailed does not stay without it.
    const left = await waitUntilGone(this.kill(null), END_MS);
    await this.qmp?.ended;
    for (
      const path of [socketPath(this.options.instance.run), pidPath(this.options.instance.run)]
    ) {
      if (left.length === 0) await Deno.remove(path).catch(() => {});
    }
    if (this.whyKilled !== null) return this.whyKilled;
    return status.signal !== null
      ? `ended by ${status.signal}`
      : status.code > 128
      ? `ended by signal ${status.code - 128}`
      : `ended with code ${status.code}`;
  }

  /**
   * SIGKILL to QEMU and its jail, at once.
   * @param why for `ended`, unless it was told before.
   */
  kill(why: string | null = "killed"): ProcessName[] {
    this.whyKilled ??= why;
    killAll(this.processes);
    return [...this.processes, ...killTree(this.child)];
  }

  /** Asks QEMU to end, kills it when it does not; nothing of it is left afterwards. */
  async stop(): Promise<void> {
    this.whyKilled ??= "stopped";
    const timer = setTimeout(() => this.kill(), QUIT_MS);
    await this.qmp?.quit().catch(() => {});
    if (this.qmp === null) this.kill();
    await this.ended;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** What another attempt may mend. */
const RETRIED = new Set(["enclave-ended", "enclave-late"]);

/** Two threads on two virtual CPUs, or one on one: answers are exact for a given number. */
function threadsOf(threads: number | "auto"): number {
  return threads === "auto" ? Math.min(2, navigator.hardwareConcurrency) : threads;
}

function failed(code: string, what: string, { instance }: BootOptions): VeiError {
  const words = lastWords(logPath(instance));
  return new VeiError({
    code,
    message: words === "" ? what : `${what}; QEMU's last words: ${words}`,
    hint: `the log is ${logPath(instance)}`,
    exit: Exit.unavailable,
  });
}

function notReady(attempts: number, cause: VeiError, instance: Instance): VeiError {
  return new VeiError({
    code: "enclave-not-ready",
    message: `The virtual machine did not become ready in ${attempts} ` +
      `attempt${attempts === 1 ? "" : "s"}: ${cause.message}`,
    hint: "is the box busy or short of memory, or [enclave] memory too little for the model? " +
      `QEMU's log is ${logPath(instance)}`,
    exit: Exit.unavailable,
    cause,
  });
}

function cancelled(): VeiError {
  return new VeiError({
    code: "boot-cancelled",
    message: "The boot of the virtual machine was cancelled",
    exit: Exit.tryAgain,
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function never(stop: AbortSignal): Promise<void> {
  await aborted(stop);
}

/** Waits, at most until the signal is aborted. */
function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
    if (signal?.aborted) done();
  });
}
