/** The status on one screen: pure, from what the daemon says to lines. */
import type { GateEvent } from "../api/hub.ts";
import type { Phase, Status } from "../api/status.ts";
import type { Screen } from "./command.ts";
import { oneLine } from "./event_output.ts";

/** A name's column. */
const LABEL = 10;
/** How many events a status shows that goes to a file or a pipe. */
const EVENTS_WITHOUT_SCREEN = 8;
/** Reasons that are no drops. */
const NOT_DROPPED = new Set(["pass", "pass_empty", "events_lost"]);

type Tone = "good" | "bad" | "wait" | "faint";
const COLOURS: Record<Tone, number> = { good: 32, bad: 31, wait: 33, faint: 2 };
const TONES: Record<Phase, Tone> = {
  starting: "wait",
  booting: "wait",
  ready: "good",
  restarting: "wait",
  "gate-lost": "bad",
  stopping: "wait",
};

/** A part of a line; a toned one is coloured where that is wanted. */
type Part = string | [tone: Tone, text: string];

/**
 * @param screen null where the lines go to no terminal: then they are neither cut nor coloured.
 * @param nowMs the clock.
 * @returns the lines; on a screen no more and no longer than fit, its last line left free.
 */
export function statusLines(status: Status, screen: Screen | null, nowMs: number): string[] {
  const { diode, enclave, policy } = status;
  const lines: Part[][] = [
    row("daemon", [
      [TONES[status.phase] ?? "wait", status.phase],
      `, pid ${status.pid}, up ${span(nowMs - Date.parse(status.started))}, vei ${status.version}`,
    ]),
    row("", [`http://${status.listen}/`]),
    ...gateRows(diode, status.phase),
    ...enclaveRows(enclave, status.phase),
    row("policy", [
      policy === null
        ? "unknown"
        : `${policy.name} ${policy.version}, sha256 ${policy.sha256.slice(0, 12)}…` +
          allowedText(policy.allowed),
    ]),
    row("receipts", [status.receipts === null ? "unknown" : grouped(status.receipts)]),
  ];
  const room = screen === null
    ? EVENTS_WITHOUT_SCREEN
    : Math.max(0, screen.rows - 1 - lines.length - 1);
  const events = room === 0 ? [] : status.events.slice(-room);
  if (events.length > 0) lines.push([""], ...events.map((event) => eventLine(event, screen)));
  const kept = screen === null ? lines : lines.slice(0, screen.rows - 1);
  return kept.map((parts) => painted(parts, screen));
}

/** The policies that requests may choose; older daemons do not tell. */
function allowedText(allowed: readonly { name: string }[] | undefined): string {
  return allowed?.length ? `, by request ${allowed.map(({ name }) => name).join(", ")}` : "";
}

function gateRows(diode: Status["diode"], phase: Phase): Part[][] {
  if (diode === null) return [row("gate", ["not attached"])];
  const drops = Object.entries(diode.counters)
    .filter(([reason, count]) => count > 0 && !NOT_DROPPED.has(reason))
    .sort(([, a], [, b]) => b - a);
  const dropped = drops.reduce((sum, [, count]) => sum + count, 0);
  const passed = (diode.counters.pass ?? 0) + (diode.counters.pass_empty ?? 0);
  const lost = diode.counters.events_lost ?? 0;
  return [
    row("gate", [
      phase === "gate-lost" ? ["bad", "LOST, tap down"] : ["good", "attached"],
      `, diode ${diode.name}${shareText(diode.rules)}${
        diode.digests.table_proof ? ", proved" : ""
      }, link ${diode.linkId}, ` +
      `program ${diode.programId}` +
      (diode.adopted ? ", adopted" : ""),
    ]),
    row("", [
      `passed ${grouped(passed)}, dropped `,
      dropped === 0 ? "0" : ["bad", grouped(dropped)],
      lost === 0 ? "" : `, reports lost ${grouped(lost)}`,
    ]),
    ...(dropped === 0
      ? []
      : [row("", [drops.map(([reason, count]) => `${reason} ${grouped(count)}`).join(", ")])]),
  ];
}

/** Of a diode made from a policy; older daemons do not tell. */
function shareText(rules: NonNullable<Status["diode"]>["rules"] | undefined): string {
  if (!rules) return "";
  return ` (${rules.held.length} of ${rules.held.length + rules.left.length} rules)`;
}

function enclaveRows(enclave: Status["enclave"], phase: Phase): Part[][] {
  if (enclave === null) return [row("enclave", ["not started yet"])];
  const { pid, model, accel, accelReason, attempt, bootSeconds, restarts } = enclave;
  const boots = phase === "booting" || phase === "restarting";
  const how = accel === null ? "" : `, ${accel}${accelReason === "" ? "" : ` (${accelReason})`}`;
  return [
    row("enclave", [
      pid !== null ? `pid ${pid}` : ["wait", boots ? `booting, attempt ${attempt}` : "not running"],
      `, model ${model}${how}`,
    ]),
    row("", [
      bootSeconds === null ? "not ready yet, restarts " : `boot ${bootSeconds} s, restarts `,
      restarts === 0 ? "0" : ["wait", String(restarts)],
    ]),
  ];
}

function row(name: string, parts: Part[]): Part[] {
  return [["faint", name.padEnd(LABEL)], ...parts];
}

function eventLine({ time, kind, message }: GateEvent, screen: Screen | null): Part[] {
  // The day is of no use on a screen that shows the last few minutes.
  const when = screen === null ? time : time.slice(11, 19);
  const bad = kind === "drop" || message.startsWith("GATE LOST");
  return [["faint", `${when} `], bad ? ["bad", kind.padEnd(9)] : kind.padEnd(9), message];
}

/** Cuts a line to the screen's width, counted in characters, before colours are put in. */
function painted(parts: Part[], screen: Screen | null): string {
  let left = screen?.columns ?? Infinity;
  let line = "";
  for (const part of parts) {
    const [tone, raw] = typeof part === "string" ? [null, part] : part;
    const characters = [...oneLine(raw)];
    const cut = characters.length > left;
    const text = cut
      ? `${characters.slice(0, Math.max(0, left - 1)).join("")}…`
      : characters.join("");
    if (left <= 0) break;
    line += tone !== null && screen?.colour ? `\x1b[${COLOURS[tone]}m${text}\x1b[0m` : text;
    left -= characters.length;
  }
  return screen?.colour ? line : line.trimEnd();
}

/** @returns `1,234,567`. */
function grouped(count: number): string {
  return count.toLocaleString("en");
}

/** @returns a time's length in its two largest units. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const units: [string, number][] = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const at = units.findIndex(([, size]) => seconds >= size);
  if (at < 0) return "0 s";
  let rest = seconds;
  return units.slice(at, at + 2).map(([name, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? "" : `${count} ${name}`;
  }).filter((text) => text !== "").join(" ");
}
