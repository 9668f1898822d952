/** `vei doctor`: each need with what was found, what was wanted, and how to mend it. */
import { Exit } from "../base/errors.ts";
import type { Command } from "./command.ts";
import { loadConfig } from "./load_config.ts";
import { machineNeeds, type Need, stateNeeds } from "./needs.ts";
import { printable } from "./terminal.ts";

const MARKS = { yes: "ok", no: "MISSING", unknown: "unknown" } as const;

export const command: Command = {
  name: "doctor",
  summary: "what this machine has of what vei needs; exit 0 only when all of it is there",
  example: "sudo vei doctor",
  async run({ instance, json, terminal }) {
    const config = await loadConfig(instance.config);
    const needs = [...await machineNeeds(), ...await stateNeeds(instance, config.enclave.model)];
    const lacking = needs.filter((need) => need.needed && need.result !== "yes");
    if (json) terminal.json({ ok: lacking.length === 0, needs });
    else {
      for (const need of needs) print(need, (line) => terminal.out(printable(line)));
      terminal.out(
        lacking.length === 0
          ? "\nEverything that `vei serve` needs is there."
          : `\nNot there, or not known: ${lacking.map((need) => need.name).join(", ")}`,
      );
    }
    if (lacking.length === 0) return Exit.ok;
    return lacking.some((need) => need.result === "no") ? Exit.unavailable : Exit.unknown;
  },
};

function print(need: Need, out: (line: string) => void): void {
  const mark = need.result !== "yes" && !need.needed
    ? `${need.result}, optional`
    : MARKS[need.result];
  out(`${need.name.padEnd(20)} ${mark}`);
  out(`  wanted  ${need.wanted}`);
  out(`  found   ${need.found}`);
  if (need.mend !== "") out(`  mend    ${need.mend}`);
}
