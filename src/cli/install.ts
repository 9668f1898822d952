/** `vei install`: this very program, its service and what belongs to it, into their places. */
import { Exit } from "../base/errors.ts";
import type { Instance } from "../host/instance.ts";
import { carryOut, isMissing, type Plan, planInstall, type Wanted } from "../install/install.ts";
import { SERVICE } from "../install/layout.ts";
import { exists } from "../host/missing.ts";
import { enableService, reloadUnits, serviceState, systemdRuns } from "../install/systemd.ts";
import { lineProgress } from "../../enclave/progress.ts";
import { setUp } from "../../enclave/setup.ts";
import type { Command, CommandContext, Terminal } from "./command.ts";
import { findEndpoint } from "./endpoint.ts";
import { lockInstallation, machineInstance, wantedInstallation } from "./installation.ts";
import { requireRoot } from "./privilege.ts";

/** Units of an administrator's own: they come before ours. */
const ADMIN_UNIT = `/etc/systemd/system/${SERVICE}`;

export const command: Command = {
  name: "install",
  summary: "put this program and its service in place; safe to run again",
  usage: "[--plan] [--no-setup] [--files-only] [--start]",
  example: "sudo ./vei install",
  options: {
    plan: { type: "boolean", describe: "only say what would be done" },
    "no-setup": { type: "boolean", describe: "without image and model: run `vei setup` later" },
    "files-only": { type: "boolean", describe: "neither set up nor start anything" },
    start: { type: "boolean", describe: "also start the service, now and at each boot" },
  },
  async run(context) {
    const { options, json, terminal } = context;
    const instance = machineInstance(context, "vei install");
    const systemd = await systemdRuns();
    const wanted = await wantedInstallation(context.table, systemd);
    if (options.plan === true) {
      const plan = await planInstall(wanted);
      if (json) terminal.json(planJson(wanted, plan));
      else tellPlan(wanted, plan, terminal);
      return Exit.ok;
    }
    requireRoot("vei install");
    const plan = await placeFiles(wanted, systemd, terminal);
    if (options["files-only"] === true) {
      if (json) terminal.json(planJson(wanted, plan));
      return Exit.ok;
    }
    if (options["no-setup"] !== true) {
      await setUp(
        instance.state,
        {},
        lineProgress((line) => terminal.err(line), () => performance.now()),
      );
    }
    if (systemd && options.start === true) {
      await enableService();
      say(terminal, "service", SERVICE, "runs, now and at each boot");
    }
    if (json) terminal.json(planJson(wanted, plan));
    await tellNext(instance, context, plan, systemd);
    return Exit.ok;
  },
};

/** Says the plan, then does it. */
async function placeFiles(wanted: Wanted, systemd: boolean, terminal: Terminal): Promise<Plan> {
  using _lock = await lockInstallation();
  const plan = await planInstall(wanted);
  const { changes, manifest } = plan;
  if (manifest?.pending) terminal.err("An earlier installation was interrupted: doing the rest");
  await carryOut(wanted, plan, (...words) => say(terminal, ...words));
  if (systemd && (changes || manifest?.pending)) await reloadUnits();
  if (!changes) terminal.err("Everything was in its place");
  if (systemd && await exists(ADMIN_UNIT)) {
    say(terminal, "service", ADMIN_UNIT, "is yours and comes first, left as it is");
  }
  return plan;
}

function say(terminal: Terminal, what: string, path: string, done: string): void {
  terminal.err(`${what.padEnd(13)} ${path}: ${done}`);
}

const WILL = {
  make: "will be made",
  replace: "will be replaced",
  unchanged: "is there",
  keep: "stays",
  remove: "will be removed",
} as const;

function tellPlan({ version }: Wanted, plan: Plan, terminal: Terminal): void {
  terminal.out(`vei ${version}: ${plan.changes ? "this would be done" : "nothing would be done"}`);
  const line = (what: string, path: string, text: string) =>
    terminal.out(`  ${what.padEnd(13)} ${path}: ${text}`);
  for (const found of plan.users) {
    const { name, id } = found.user;
    line("user", `${name} (${id})`, WILL[isMissing(found) ? "make" : "unchanged"]);
  }
  for (const { what, path, action, note } of plan.files) {
    line(what, path, `${WILL[action]}${note === "" ? "" : ` (${note})`}`);
  }
}

function planJson({ version }: Wanted, plan: Plan): unknown {
  return {
    version,
    changes: plan.changes,
    users: plan.users.map((found) => ({
      ...{ name: found.user.name, id: found.user.id },
      action: isMissing(found) ? "make" : "unchanged",
    })),
    files: plan.files.map(({ what, path, action, note }) => ({ what, path, action, note })),
  };
}

/** What is left to the person. */
async function tellNext(
  instance: Instance,
  { terminal, options }: CommandContext,
  plan: Plan,
  systemd: boolean,
): Promise<void> {
  const program = plan.files.some(({ action }) => action === "replace");
  if (systemd) {
    const { active, mainPid } = await serviceState();
    if (active === "active" && program && options.start !== true) {
      terminal.err(`The service still runs the old program (pid ${mainPid}).`);
      terminal.err(`  now: systemctl restart ${SERVICE}`);
    } else if (active !== "active") terminal.err(`Start it: systemctl enable --now ${SERVICE}`);
    return;
  }
  await tellByHand(instance, program, terminal);
}

async function tellByHand(instance: Instance, changed: boolean, terminal: Terminal): Promise<void> {
  const daemon = await findEndpoint(instance);
  if (daemon === null) terminal.err("Start it: vei serve   (there is no systemd to start it)");
  else if (changed) {
    terminal.err(`The daemon that runs (pid ${daemon.pid}) is still the old program.`);
    terminal.err(`  end it (kill ${daemon.pid}), then start it again: vei serve`);
  }
}
