/** `vei status`: one screen. What cannot be told is said as unknown. */
import type { Status } from "../api/status.ts";
import { Exit, messageOf } from "../base/errors.ts";
import { type DiodeStatus, readDiode } from "../../diodes/manager.ts";
import type { Command, Terminal } from "./command.ts";
import { fetchStatus, findEndpoint } from "./endpoint.ts";
import { printable } from "./terminal.ts";

export const command: Command = {
  name: "status",
  summary: "what runs and what the gate did; exit 0 only when everything is ready",
  example: "vei status --json",
  async run({ instance, json, terminal }) {
    const endpoint = await findEndpoint(instance);
    const status = endpoint ? await fetchStatus(endpoint) : null;
    const pinned = status ? null : pinnedDiode(instance.pins);
    if (json) terminal.json({ instance: instance.name, daemon: status, pinned });
    else if (status) show(status, terminal);
    else {
      terminal.out(`daemon   not running (instance ${instance.name})`);
      terminal.out(`diode    ${pinned === null ? "none pinned" : pinnedText(pinned)}`);
    }
    return status?.phase === "ready" ? Exit.ok : Exit.unavailable;
  },
};

type Pinned = DiodeStatus | { unknown: string } | null;

function pinnedDiode(pins: string): Pinned {
  if (Deno.uid() !== 0) return { unknown: "only root can read it" };
  try {
    return readDiode(pins);
  } catch (cause) {
    return { unknown: messageOf(cause) };
  }
}

function pinnedText(pinned: NonNullable<Pinned>): string {
  if ("unknown" in pinned) return `unknown: ${pinned.unknown}`;
  return pinned.ifindex === 0
    ? "pinned, but its interface is gone: it guards nothing"
    : `link ${pinned.linkId} is pinned and drops without a daemon`;
}

function show(status: Status, terminal: Terminal): void {
  const { diode, enclave } = status;
  const say = (name: string, text: string) => terminal.out(`${name.padEnd(9)}${printable(text)}`);
  say(
    "daemon",
    `${status.phase}, pid ${status.pid}, http://${status.listen}, since ${status.started}`,
  );
  if (diode === null) say("diode", "not attached yet");
  else {
    const how = diode.adopted ? ", adopted" : "";
    say("diode", `${diode.name}: link ${diode.linkId}, program ${diode.programId}${how}`);
    for (const [reason, count] of Object.entries(diode.counters)) {
      if (count > 0) say("", `${reason.padEnd(20)} ${count}`);
    }
  }
  if (enclave === null) say("enclave", "not started yet");
  else {
    say(
      "enclave",
      `${enclave.model}, pid ${enclave.pid ?? "none"}, ${enclave.accel} (${enclave.accelReason})`,
    );
    say("", `boot ${enclave.bootSeconds ?? "unknown"} s, restarts ${enclave.restarts}`);
  }
  for (const event of status.events.slice(-8)) say("event", `${event.time} ${event.message}`);
}
