/** What `vei install` puts on a machine, made from this very program. */
import { defaultConfigText } from "../base/config_reference.ts";
import { sha256 } from "../base/bytes.ts";
import { Exit, VeiError } from "../base/errors.ts";
import { sha256File } from "../host/digest.ts";
import { type Instance, instanceOf } from "../host/instance.ts";
import type { Wanted } from "../install/install.ts";
import { layoutUnder } from "../install/layout.ts";
import type { WantedFile } from "../install/plan.ts";
import { DAEMON_USER, unitText } from "../install/unit.ts";
import { shippedPolicies, shippedPolicy } from "../../diodes/shipped.ts";
import { lockState } from "../../ffi/lock.ts";
import { JAIL_USER } from "../../enclave/jail.ts";
import type { CommandContext, CommandTable } from "./command.ts";
import { completionScript, SHELLS } from "./completions.ts";
import { manPage } from "./man.ts";
import { INSTALLED_POLICIES } from "./named_text.ts";
import { VERSION } from "./version.ts";
import { usageError } from "./usage.ts";

/** Whom QEMU runs as: the number is the jail's. */
const VM_USER = { name: "vei-vm", id: JAIL_USER, comment: "VEI's virtual machine" };

/** Where it all lies. */
export const LAYOUT = layoutUnder();

/**
 * @param systemd whether systemd runs this machine: only then there are a unit and its user.
 * @throws VeiError `not-compiled` when this program is run from its source.
 */
export async function wantedInstallation(table: CommandTable, systemd: boolean): Promise<Wanted> {
  const texts: [path: string, what: string, text: string, rest: Partial<WantedFile>][] = [
    [LAYOUT.config, "configuration", defaultConfigText(), { foreign: "beside", once: true }],
    ...shippedPolicies().map((name): typeof texts[number] => [
      ...[`${INSTALLED_POLICIES}/${name}.toml`, "policy", shippedPolicy(name)] as const,
      { foreign: "news" },
    ]),
    ...Object.entries(SHELLS).map(([shell, { path }]): typeof texts[number] => [
      ...[`${LAYOUT.prefix}/${path}`, "completions", completionScript(shell, table)] as const,
      {},
    ]),
    [LAYOUT.man, "manual page", manPage(table), {}],
  ];
  if (systemd) texts.push([LAYOUT.unit, "service", unitText(), { foreign: "beside" }]);
  const program = thisProgram();
  const encoder = new TextEncoder();
  return {
    layout: LAYOUT,
    version: VERSION,
    files: [
      {
        ...{ path: LAYOUT.program, what: "program", content: { copyOf: program } },
        ...{ sha256: await sha256File(program), mode: 0o755, foreign: "refuse" },
      },
      ...await Promise.all(texts.map(async ([path, what, text, rest]): Promise<WantedFile> => ({
        ...{ path, what, content: { text }, sha256: await sha256(encoder.encode(text)) },
        ...{ mode: 0o644, foreign: "keep", ...rest },
      }))),
    ],
    users: [VM_USER, ...systemd ? [DAEMON_USER] : []],
  };
}

function thisProgram(): string {
  if (Deno.build.standalone) return Deno.execPath();
  throw new VeiError({
    code: "not-compiled",
    message: "Only the compiled program can be installed, and this one runs from its source",
    hint: "run ./install.sh: it compiles the program and installs it",
    exit: Exit.usage,
  });
}

/**
 * @returns the instance that an installation is for: there is one on a machine.
 * @throws VeiError `usage` when another one was asked for.
 */
export function machineInstance({ options }: CommandContext, what: string): Instance {
  if ((options.instance ?? "vei") === "vei" && options.state === undefined) {
    return instanceOf("vei");
  }
  throw usageError(
    `${what} works on the whole machine, with the instance vei in /var/lib/vei`,
    "leave out --instance and --state",
  );
}

/**
 * One at a time installs, upgrades or takes away. An upgrade that was killed leaves the `vei install`
 * that it had begun, which ends within a moment: so this waits for it.
 *
 * @throws VeiError `install-locked`.
 */
export function lockInstallation(): Promise<Disposable> {
  return lockAndRemove("/run/vei-install");
}

/** One upgrade at a time; it runs the new program's `vei install`, which takes the other lock. */
export function lockUpgrade(): Promise<Disposable> {
  return lockAndRemove("/run/vei-upgrade");
}

const LOCK_WAIT_MS = 10_000;
const LOCK_AGAIN_MS = 100;

async function lockAndRemove(folder: string): Promise<Disposable> {
  using stack = new DisposableStack();
  const deadline = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      stack.use(lockState(folder));
      break;
    } catch (cause) {
      if (!(cause instanceof VeiError) || cause.code !== "state-locked") throw cause;
      if (performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, LOCK_AGAIN_MS));
        continue;
      }
      throw new VeiError({
        code: "install-locked",
        message: "Another vei is being installed, upgraded or removed right now",
        hint: "wait until it is done",
        exit: Exit.tryAgain,
        cause,
      });
    }
  }
  // While the lock is held: nobody else uses the folder.
  stack.defer(() => Deno.removeSync(folder, { recursive: true }));
  return stack.move();
}
