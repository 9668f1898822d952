/** `vei upgrade`: another program in the place of this one, tried before and taken back if need be. */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import type { Instance } from "../host/instance.ts";
import { run } from "../host/run.ts";
import { lookAt } from "../install/disk.ts";
import { SERVICE } from "../install/layout.ts";
import { type Manifest, readManifest } from "../install/manifest.ts";
import { moveBack, moveIn, mustLookAt, stage } from "../install/swap.ts";
import { restartService, serviceState, systemdRuns } from "../install/systemd.ts";
import { compareVersions, versionOf } from "../install/versions.ts";
import type { Command, CommandContext } from "./command.ts";
import { findEndpoint, isReady } from "./endpoint.ts";
import { LAYOUT, lockInstallation, lockUpgrade, machineInstance } from "./installation.ts";
import { requireRoot } from "./privilege.ts";
import { tryProgram } from "./trial.ts";
import { usageError } from "./usage.ts";

const INSTALL_MS = 120_000;
/** After systemd has taken the service for started. */
const READY_MS = 60_000;

export const command: Command = {
  name: "upgrade",
  summary: "try another program, then put it in this one's place",
  usage: "FILE [--sha256 HEX] | --rollback",
  example: "sudo vei upgrade ./vei-new --sha256 HEX",
  complete: "file",
  options: {
    sha256: { type: "string", value: "HEX", describe: "the file's digest" },
    rollback: { type: "boolean", describe: "put the previous program back" },
  },
  async run(context) {
    const { options, positionals } = context;
    const rollback = options.rollback === true;
    if (positionals.length !== (rollback ? 0 : 1)) {
      throw usageError("Give one FILE, or --rollback", "run `vei upgrade --help`");
    }
    const instance = machineInstance(context, "vei upgrade");
    requireRoot("vei upgrade");
    using _one = await lockUpgrade();
    if (rollback) await mustLookAt(LAYOUT.previous);
    const before = await swap(context, rollback ? LAYOUT.previous : positionals[0], rollback);
    if (before === null) return Exit.ok;
    await settle(context, instance, before);
    context.terminal.err("Bring the guest's image up to this version, if need be: vei setup");
    return Exit.ok;
  },
};

function teller({ terminal }: CommandContext) {
  return (what: string, text: string) => terminal.err(`${what.padEnd(13)} ${text}`);
}

/**
 * Checks and tries the new program and moves it in.
 * @returns the version that was in use; null when the new program is in use already.
 */
async function swap(
  context: CommandContext,
  file: string,
  rollback: boolean,
): Promise<string | null> {
  const say = teller(context);
  using _lock = await lockInstallation();
  const manifest = await mustReadManifest();
  const now = await lookAt(LAYOUT.program);
  if (now.kind !== "file") throw notInstalled(`${LAYOUT.program} is not there`);
  const sha256 = context.options.sha256 as string | undefined;
  await using staged = await stage(LAYOUT, file, sha256);
  const version = await versionOf(staged.path);
  if (now.sha256 === staged.sha256) {
    const done = manifest.pending
      ? "in its place; doing the rest"
      : "unchanged, it is in use already";
    say("program", `${LAYOUT.program}: ${done}`);
    return manifest.pending ? await versionOf(LAYOUT.previous) : null;
  }
  const old = await currentVersion(manifest);
  if (!rollback && compareVersions(version, old) < 0) throw older(version, old);
  say("trial", `vei ${version} with a mock model and ${LAYOUT.config} …`);
  await tryProgram(staged.path, `${LAYOUT.library}/trial`, LAYOUT.config);
  say("trial", "ready, and ended when it was told to");
  await moveIn(LAYOUT, manifest, staged, version);
  say("program", `${LAYOUT.program}: vei ${version} in the place of ${old}, which is kept`);
  return old;
}

/** Everything but the program; then the service. Any failure brings the previous program back. */
async function settle(
  context: CommandContext,
  instance: Instance,
  before: string,
): Promise<void> {
  const say = teller(context);
  try {
    await installRest(context);
    await restart(context, instance);
  } catch (cause) {
    const why = messageOf(cause);
    say("program", `the new one failed: ${why}`);
    {
      using _lock = await lockInstallation();
      await moveBack(LAYOUT);
    }
    say("program", `${LAYOUT.program}: vei ${before} put back`);
    let again = "";
    try {
      await installRest(context);
      await restart(context, instance);
    } catch (second) {
      again = `; nor is the previous one ready: ${messageOf(second)}`;
    }
    throw new VeiError({
      code: "upgrade-rolled-back",
      message: `The new program was put back: ${why}${again}`,
      hint: again === ""
        ? "the previous program is in use, as before"
        : `the previous program is in its place; look at: journalctl -u ${SERVICE}`,
      exit: Exit.failed,
      cause,
    });
  }
}

/** The program in its place knows its own unit, manual page and completions. */
async function installRest({ terminal }: CommandContext): Promise<void> {
  const { code, stderr } = await run(LAYOUT.program, ["install", "--files-only"], {
    timeoutMs: INSTALL_MS,
  });
  for (const line of stderr.trim().split("\n")) terminal.err(line);
  if (code !== 0) throw new Error(`its \`vei install\` ended with ${code}`);
}

/** A running service gets the new program, and has to become ready with it. */
async function restart(context: CommandContext, instance: Instance): Promise<void> {
  const say = teller(context);
  if (!await systemdRuns()) {
    const daemon = await findEndpoint(instance);
    if (daemon === null) return;
    say("daemon", `the one that runs (pid ${daemon.pid}) is still the old program;`);
    say("", `end it (kill ${daemon.pid}), then start it again: vei serve`);
    return;
  }
  const { active } = await serviceState();
  if (active === "inactive") return say("service", `${SERVICE} does not run: not started`);
  say("service", `${SERVICE}: restarting …`);
  const failure = await restartService();
  if (failure !== null) throw new Error(`the service did not start: ${failure}`);
  for (const end = performance.now() + READY_MS;;) {
    const daemon = await findEndpoint(instance);
    if (daemon !== null && await isReady(daemon)) break;
    if (performance.now() > end) throw new Error("the service started, but is not ready");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  say("service", `${SERVICE}: ready`);
}

async function mustReadManifest(): Promise<Manifest> {
  const manifest = await readManifest(LAYOUT.manifest);
  if (manifest !== null) return manifest;
  throw notInstalled(`there is no ${LAYOUT.manifest}`);
}

/** @returns the version in use; what an interruption left may be another than the manifest says. */
async function currentVersion(manifest: Manifest): Promise<string> {
  return manifest.pending ? await versionOf(LAYOUT.program) : manifest.version;
}

function notInstalled(why: string): VeiError {
  return new VeiError({
    code: "not-installed",
    message: `vei is not installed: ${why}`,
    hint: "run `FILE install`",
    exit: Exit.noInput,
  });
}

function older(version: string, old: string): VeiError {
  return new VeiError({
    code: "version-older",
    message: `This is vei ${version}, which is older than the ${old} in use`,
    hint: "an older program may not read what a newer one wrote; " +
      "`vei upgrade --rollback` puts the previous program back",
    exit: Exit.usage,
  });
}
