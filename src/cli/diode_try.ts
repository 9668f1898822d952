/** `vei diode try`: what a diode says of a payload, asked of the kernel and of its text. */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { unhex } from "../base/bytes.ts";
import { MOST_PAYLOAD } from "../bpf/frame.ts";
import { type Trial, tryByDefinition, tryInKernel } from "../../diodes/trial.ts";
import type { Command } from "./command.ts";
import { enclaveRules } from "./configured.ts";
import { DIODE_NAMES, namedDiode } from "./named_diode.ts";
import { usageError } from "./usage.ts";
import { defaultConfig } from "../base/config.ts";

export const command: Command = {
  name: "diode try",
  summary: "what a diode says of a payload: the loaded program, and its text beside it",
  usage: "NAME|FILE|policy:NAME [--hex HEX]",
  complete: DIODE_NAMES,
  example: "sudo vei diode try hateless --hex 49206861746521",
  options: {
    hex: { type: "string", value: "HEX", describe: "the payload; without it: standard input" },
  },
  async run({ positionals, options, json, terminal }) {
    if (positionals.length !== 1) throw usage("name one diode");
    const rules = enclaveRules(defaultConfig().link);
    const plan = await namedDiode(positionals[0], rules);
    const payload = options.hex === undefined ? await standardInput() : fromHex(`${options.hex}`);
    if (payload.length > MOST_PAYLOAD) throw tooLong(payload.length);

    const reference = tryByDefinition(plan, payload);
    const { kernel, why } = ask(() => tryInKernel(plan, rules, payload));
    const wrong = kernel === null ? noKernel(why) : disagreement(plan.name, kernel, reference);
    if (json) {
      const { verdict, reason, offset } = wrong === null
        ? kernel!
        : { verdict: null, reason: null, offset: null };
      terminal.json({ diode: plan.name, verdict, reason, offset, kernel, reference });
    } else if (wrong === null) terminal.out(`${plan.name}: ${textOf(kernel!)}`);
    if (wrong !== null) {
      if (!json) throw wrong;
      terminal.err(`vei: ${wrong.message} [${wrong.code}]`);
      return wrong.exit;
    }
    return kernel!.verdict === "pass" ? Exit.ok : Exit.refused;
  },
};

function ask(kernel: () => Trial): { kernel: Trial | null; why?: unknown } {
  try {
    return { kernel: kernel() };
  } catch (why) {
    return { kernel: null, why };
  }
}

function textOf({ verdict, reason, offset }: Trial): string {
  if (verdict === "pass") return `pass (${reason})`;
  return `drop (${reason}${offset === null ? "" : `, decided at byte ${offset}`})`;
}

async function standardInput(): Promise<Uint8Array> {
  const bytes = new Uint8Array(MOST_PAYLOAD + 1);
  let length = 0;
  for (;;) {
    const read = await Deno.stdin.read(bytes.subarray(length));
    if (read === null || length + read === bytes.length) {
      return bytes.slice(0, length + (read ?? 0));
    }
    length += read;
  }
}

function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s/g, "");
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw usage("--hex takes bytes as pairs of hex digits");
  return unhex(digits);
}

function usage(message: string): VeiError {
  return usageError(`vei diode try: ${message}`, "run `vei diode try --help`");
}

function tooLong(length: number): VeiError {
  const said = length > MOST_PAYLOAD ? `more than ${MOST_PAYLOAD}` : `${length}`;
  return new VeiError({
    code: "payload-too-long",
    message: `The payload has ${said} bytes, and no frame of an Ethernet link carries them`,
    hint: `try the first ${MOST_PAYLOAD} bytes: that is what one packet can hold`,
    exit: Exit.data,
  });
}

function noKernel(why: unknown): VeiError {
  return new VeiError({
    code: "kernel-not-asked",
    message: `The kernel could not be asked, so there is no verdict: ${messageOf(why)}`,
    hint: "run it as root on a kernel with BPF; `vei doctor` says what is missing",
    exit: Exit.unavailable,
    cause: why,
  });
}

/** @returns the error when program and text say different things, null when they agree. */
export function disagreement(name: string, kernel: Trial, reference: Trial): VeiError | null {
  const same = kernel.verdict === reference.verdict && kernel.reason === reference.reason &&
    kernel.offset === reference.offset;
  if (same) return null;
  return new VeiError({
    code: "diode-disagreement",
    message: `The loaded program of ${name} says ${textOf(kernel)}, its text says ` +
      textOf(reference),
    hint: "do not rely on this diode; report the payload and the diode's file",
    exit: Exit.internal,
  });
}
