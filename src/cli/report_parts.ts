/** What goes into a report, piece by piece: each value picked by name, nothing copied as a whole. */
import { type Config, defaultConfig } from "../base/config.ts";
import { VeiError } from "../base/errors.ts";
import { run } from "../host/run.ts";
import type { Status } from "../api/status.ts";
import { PHASES } from "../api/status.ts";
import type { Instance } from "../host/instance.ts";
import type { Need } from "./need.ts";
import { hasSystemd, UNIT, unitState } from "./needs_service.ts";
import { knownSentence } from "./report_clean.ts";

const LINES = 100;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const LEVELS = ["debug", "info", "warn", "error"];

const read = (path: string) => Deno.readTextFile(path).then((text) => text.trim(), () => "");

/** @returns kernel, distribution and hardware. */
export async function machine(): Promise<Record<string, unknown>> {
  const release = await read("/etc/os-release");
  const field = (name: string) =>
    new RegExp(`^${name}="?([\\w .()/+-]*)"?$`, "m").exec(release)?.[1] ?? null;
  const memory = /^MemTotal:\s*(\d+) kB$/m.exec(await read("/proc/meminfo"))?.[1];
  return {
    kernel: await read("/proc/sys/kernel/osrelease"),
    kernelVersion: await read("/proc/sys/kernel/version"),
    architecture: Deno.build.arch,
    distribution: field("PRETTY_NAME"),
    processors: navigator.hardwareConcurrency,
    processor: /^model name\s*: (.*)$/m.exec(await read("/proc/cpuinfo"))?.[1] ?? null,
    memoryMiB: memory === undefined ? null : Math.round(Number(memory) / 1024),
  };
}

/** A number, a switch, or a word of ours: nothing that a person made up. */
const HARMLESS =
  /^(\d+(\.\d+)? ?(B|KB|MB|GB|KiB|MiB|GiB|ms|s|min|h)?|auto|kvm|tcg|debug|info|warn|error|never|127\.\d+\.\d+\.\d+:\d+)$/;

/**
 * @returns each key of the schema with its value, where that is a default, a number or one of our own
 * words; otherwise only that it was changed.
 */
export function configPart(config: Config): Record<string, Record<string, unknown>> {
  const defaults = defaultConfig() as unknown as Record<string, Record<string, unknown>>;
  const tables = Object.entries(config as unknown as Record<string, Record<string, unknown>>);
  return Object.fromEntries(tables.map(([table, keys]) => [
    table,
    Object.fromEntries(
      Object.entries(keys).map(([key, value]) => {
        const same = JSON.stringify(value) === JSON.stringify(defaults[table]?.[key]);
        const shown = same || typeof value === "number" || typeof value === "boolean" ||
          table === "link" || (typeof value === "string" && HARMLESS.test(value));
        return [key, shown ? value : "(changed, not shown)"];
      }),
    ),
  ]));
}

/**
 * @returns the needs, without what could quote a file of the user's.
 * @param fault why the configuration cannot be read, or null.
 */
export function needsPart(
  needs: readonly Omit<Need, "exit">[],
  fault: unknown,
  clean: (text: string) => string,
): Omit<Need, "exit">[] {
  const quoting = new Set(["config", "diode", "policy"]);
  return needs.map((need) => {
    if (need.result !== "yes" && quoting.has(need.id)) {
      const code = need.id === "config" && fault instanceof VeiError ? `${fault.code} ` : "";
      return { ...need, found: `${code}(left out: it may quote the file)`, mend: "" };
    }
    // A diode or policy has a name inside its file, too.
    if (quoting.has(need.id)) {
      need = { ...need, found: need.found.replace(/^.* compiles/, "compiles") };
    }
    const words = (text: string) => clean(text.replace(/"[^"]*"/g, '"(left out)"'));
    return { ...need, found: words(need.found), mend: words(need.mend) };
  });
}

const digest = (value: unknown) =>
  typeof value === "string" && /^[0-9a-f]{64}$/.test(value) ? `sha256:${value}` : null;
const number = (value: unknown) => typeof value === "number" ? value : null;
const mapped = (record: object, pick: (value: unknown) => unknown) =>
  Object.fromEntries(
    Object.entries(record).filter(([key]) => /^[a-z_-]{1,40}$/i.test(key))
      .map(([key, value]) => [key, pick(value)]),
  );

/** @returns the daemon's status without names; the events in our own sentences. */
export function daemonPart(status: Status, clean: (text: string) => string) {
  const { diode, enclave } = status;
  return {
    phase: PHASES.find((phase) => phase === status.phase) ?? null,
    version: clean(String(status.version)),
    started: TIME.test(status.started) ? status.started : null,
    receipts: number(status.receipts),
    diode: diode && {
      adopted: diode.adopted === true,
      digests: mapped(diode.digests, digest),
      counters: mapped(diode.counters, number),
    },
    enclave: enclave && {
      accel: ["kvm", "tcg"].find((one) => one === enclave.accel) ?? null,
      image: digest(enclave.image),
      model: digest(enclave.modelDigest),
      attempt: number(enclave.attempt),
      bootSeconds: number(enclave.bootSeconds),
      restarts: number(enclave.restarts),
    },
    policy: digest(status.policy?.sha256),
    events: status.events.map(({ time, kind, message }) => ({
      time: TIME.test(time) ? time : null,
      kind: ["drop", "enclave", "diode", "daemon"].find((one) => one === kind) ?? null,
      message: clean(knownSentence(message)),
    })),
  };
}

/** @returns the unit's state and its last lines, in our own sentences; null without systemd. */
export async function servicePart(clean: (text: string) => string) {
  if (!await hasSystemd()) return null;
  const state = await unitState().catch(() => ({}));
  const args = ["-u", UNIT, "-n", String(LINES), "-o", "cat", "--no-pager"];
  const lines = await run("journalctl", args, { timeoutMs: 20_000 })
    .then(({ stdout }) => new TextDecoder().decode(stdout), () => "");
  return {
    state: Object.fromEntries(Object.entries(state).map(([key, value]) => [key, clean(value)])),
    log: logPart(lines, clean),
  };
}

/** @param text lines of the daemon's log. @returns those that are its own, in our own sentences. */
export function logPart(text: string, clean: (text: string) => string) {
  return text.split("\n").filter((line) => line !== "").slice(-LINES).map((line) => {
    let value: Record<string, unknown> = {};
    try {
      value = Object(JSON.parse(line));
    } catch {
      // A line of somebody else's: systemd's own, a runtime's last words.
    }
    const { time, level, message } = value;
    return {
      time: typeof time === "string" && TIME.test(time) ? time : null,
      level: LEVELS.find((one) => one === level) ?? null,
      message: clean(knownSentence(typeof message === "string" ? message : line)),
    };
  });
}

/** @returns how much there is in the state folder; what is in it is not looked at. */
export async function statePart({ state }: Instance) {
  const key = await Deno.lstat(`${state}/node.key`).then(
    ({ mode }) => `there, mode ${(mode! & 0o7777).toString(8)}`,
    (cause) => cause instanceof Deno.errors.NotFound ? "none" : "not told",
  );
  return { key, receipts: await countLines(`${state}/receipts.log`) };
}

async function countLines(path: string): Promise<{ lines: number; bytes: number } | null> {
  try {
    using file = await Deno.open(path);
    let lines = 0, bytes = 0;
    for await (const chunk of file.readable) {
      bytes += chunk.length;
      for (const byte of chunk) if (byte === 0x0a) lines++;
    }
    return { lines, bytes };
  } catch {
    return null;
  }
}
