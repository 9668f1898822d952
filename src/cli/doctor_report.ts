/** `vei doctor --report`: one file of JSON for an issue, which a person can read before it is sent. */
import { hostname } from "node:os";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { listModels } from "../../enclave/models.ts";
import { SMOLLM2 } from "../../enclave/model_source.ts";
import { shippedDiodes } from "../../diodes/plan.ts";
import { shippedPolicies } from "../../diodes/shipped.ts";
import type { Terminal } from "./command.ts";
import type { Diagnosis } from "./doctor.ts";
import { fetchStatus } from "./endpoint.ts";
import type { Place } from "./need.ts";
import { keyPath } from "./node.ts";
import { cleaner, type Private } from "./report_clean.ts";
import {
  configPart,
  daemonPart,
  machine,
  needsPart,
  servicePart,
  statePart,
} from "./report_parts.ts";
import { VERSION } from "./version.ts";

/** What each part of a report is, in the words that the command prints. */
const PARTS = {
  versions: "of vei and its runtime",
  machine: "kernel, distribution, processor, memory",
  doctor: "what `vei doctor` found",
  config: "your configuration: defaults and numbers; of names and paths only that they are yours",
  daemon: "its status and last events, in its own sentences only; null when none runs",
  service: "the unit's state and its last log lines, in the same way; null without systemd",
  state: "how many receipts there are, and whether there is a key: nothing of what is in them",
} as const;

interface ReportInit {
  place: Place;
  diagnosis: Diagnosis;
  /** Default: a file named after the time, in the current folder. */
  path?: string;
  json: boolean;
  terminal: Terminal;
}

/**
 * Gathers, cleans, looks once more for secrets, and writes; a file that is there is not replaced.
 * @returns 0 once the report is written, whatever it says.
 * @throws VeiError `report-exists`, `report-unwritable`, `report-unsafe`.
 */
export async function writeReport(
  { place, diagnosis, path, json, terminal }: ReportInit,
): Promise<number> {
  const time = new Date().toISOString();
  const file = path ?? `vei-report-${time.slice(0, 19).replaceAll(/[-:]/g, "")}Z.json`;
  const report = await gather(place, diagnosis, time);
  const text = JSON.stringify(report, null, 2) + "\n";
  await requireNoSecret(text, place);
  await write(file, text);
  if (json) terminal.json({ path: file, parts: Object.keys(PARTS) });
  else {
    terminal.out(`Wrote ${file}. In it:`);
    for (const [name, words] of Object.entries(PARTS)) terminal.out(`  ${name.padEnd(9)} ${words}`);
    terminal.out("Not in it: keys, prompts, answers, receipts, names, addresses, paths of yours.");
    terminal.out("Read it before you send it: it is plain text.");
  }
  return Exit.ok;
}

async function gather(place: Place, diagnosis: Diagnosis, time: string) {
  const { config, configFault, daemon, instance } = place;
  const clean = cleaner(await privateOf(place));
  const status = daemon ? await fetchStatus(daemon).catch(() => null) : null;
  const about = await machine();
  return {
    format: 1,
    made: time,
    versions: { vei: VERSION, deno: Deno.version.deno, compiled: Deno.build.standalone },
    machine: Object.fromEntries(
      Object.entries(about).map((
        [key, value],
      ) => [key, typeof value === "string" ? clean(value) : value]),
    ),
    doctor: { ...diagnosis, needs: needsPart(diagnosis.needs, configFault, clean) },
    config: configFault ? null : configPart(config),
    daemon: status && daemonPart(status, clean),
    service: await servicePart(clean),
    state: await statePart(instance),
  } satisfies Record<keyof typeof PARTS | "format" | "made", unknown>;
}

/** Everything on this machine that names a person, a machine or a secret, as far as we can see it. */
async function privateOf({ config, configPath, instance }: Place): Promise<Private> {
  const own = (name: string, shipped: readonly string[]) => shipped.includes(name) ? [] : [name];
  const models = await listModels(instance.state).then((list) => list.models, () => []);
  const host = hostname();
  const home = Deno.env.get("HOME") ?? "";
  return {
    names: [
      ...[host, host.split(".")[0]],
      ...await users(),
      ...own(config.diode.name, shippedDiodes()),
      ...[config.policy.default, ...config.policy.allow].flatMap((name) =>
        own(name, shippedPolicies())
      ),
      ...models.flatMap(({ name }) => own(name, [SMOLLM2.name])),
      ...config.api.hosts.filter((name) => !["localhost", "127.0.0.1", "[::1]"].includes(name)),
    ],
    values: Object.values(Deno.env.toObject()).filter((value) => value.length >= 8),
    places: [
      [instance.state, "state"],
      [instance.run, "run"],
      [configPath, "config"],
      ...(home.length > 1 ? [[home, "home"] as const] : []),
    ],
    addresses: [config.link.host, config.link.guest],
  };
}

/** People, and us: accounts of the system say nothing. */
async function users(): Promise<string[]> {
  const passwd = await Deno.readTextFile("/etc/passwd").catch(() => "");
  const people = passwd.split("\n").map((line) => line.split(":"))
    .filter(([, , uid]) => Number(uid) >= 1000 && Number(uid) < 65534).map(([name]) => name);
  const ours = ["SUDO_USER", "USER", "LOGNAME"].flatMap((name) => Deno.env.get(name) ?? []);
  return [...people, ...ours].filter((name) => name !== "root");
}

const SECRET_NAME = /TOKEN|SECRET|PASS|KEY|CREDENTIAL/i;

/** What was cleaned is looked through once more: a report with a secret is not written at all. */
async function requireNoSecret(text: string, { instance }: Place): Promise<void> {
  const key = await Deno.readTextFile(keyPath(instance)).catch(() => "");
  const secrets = [
    ...key.split("\n").filter((line) => line !== "" && !line.startsWith("-----")),
    ...Object.entries(Deno.env.toObject())
      .filter(([name, value]) => SECRET_NAME.test(name) && value.length >= 8)
      .map(([, value]) => value),
  ];
  if (!secrets.some((secret) => text.includes(secret))) return;
  throw new VeiError({
    code: "report-unsafe",
    message: "The report would have held a secret, so it was not written",
    hint: "`vei doctor` shows the same on your screen; please report this",
    exit: Exit.internal,
  });
}

async function write(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true, mode: 0o600 });
  } catch (cause) {
    const there = cause instanceof Deno.errors.AlreadyExists;
    throw new VeiError({
      code: there ? "report-exists" : "report-unwritable",
      message: there ? `${path} is there already` : `Cannot write ${path}: ${messageOf(cause)}`,
      hint: "name another file: vei doctor --report FILE",
      exit: Exit.cannotCreate,
      cause,
    });
  }
  // By sudo: it is for the one who asked, who has to read it.
  const [user, group] = [Deno.env.get("SUDO_UID"), Deno.env.get("SUDO_GID")].map(Number);
  if (Deno.uid() === 0 && user > 0 && group >= 0) await Deno.chown(path, user, group);
}
