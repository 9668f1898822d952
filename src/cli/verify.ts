/** `vei verify`: receipts, offline, against keys that the verifier trusts already. */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import type { PublicKey } from "../receipt/keys.ts";
import { type Verification, verifyReceipt } from "../receipt/verify.ts";
import type { Command, CommandContext } from "./command.ts";
import { printable } from "./terminal.ts";
import { keysFrom, stateKey } from "./trusted.ts";
import { usageError } from "./usage.ts";

const TRUSTED = "/etc/vei/trusted_keys";

export const command: Command = {
  name: "verify",
  summary: "check receipts offline: VALID, INVALID or UNVERIFIABLE",
  usage: "[--key HEX|FILE] FILE...",
  example: "vei verify --key trusted_keys receipt.json",
  complete: "file",
  options: {
    key: { type: "string", value: "HEX|FILE", describe: "trust this key, or those in this file" },
  },
  async run(context) {
    const { positionals, json, terminal } = context;
    if (positionals.length === 0) {
      throw usageError("vei verify needs a file", "`vei receipt export ID --out FILE` makes one");
    }
    const trusted = await trustedKeys(context);
    const answers: { file: string; answer: Verification }[] = [];
    for (const file of positionals) {
      answers.push({ file, answer: await verifyReceipt(await read(file), trusted) });
    }
    if (json) terminal.json(answers.map(({ file, answer }) => ({ file, ...answer })));
    else for (const { file, answer } of answers) terminal.out(printable(describe(file, answer)));
    const results = new Set(answers.map(({ answer }) => answer.result));
    if (results.has("INVALID")) return Exit.failed;
    return results.has("UNVERIFIABLE") ? Exit.unknown : Exit.ok;
  },
};

/** `--key` alone counts where it is given; then `--state`; then the box's list. */
async function trustedKeys({ options, instance }: CommandContext): Promise<PublicKey[]> {
  if (options.key !== undefined) return await keysFrom(String(options.key));
  if (options.state !== undefined) return [await stateKey(instance.state)];
  const there = await Deno.stat(TRUSTED).then(() => true, () => false);
  return there ? await keysFrom(TRUSTED) : [];
}

async function read(file: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(file));
  } catch (cause) {
    if (cause instanceof TypeError) return "";
    throw new VeiError({
      code: "file-unreadable",
      message: `Cannot read ${file}: ${messageOf(cause)}`,
      exit: Exit.noInput,
      cause,
    });
  }
}

function describe(file: string, answer: Verification): string {
  switch (answer.result) {
    case "VALID": {
      const { id, verdict } = answer.receipt;
      return `${file}: VALID, receipt ${id}, signed by ${answer.signer}; the verdict was: ${verdict.outcome}`;
    }
    case "INVALID":
      return `${file}: INVALID: ${answer.part}: ${answer.why}`;
    case "UNVERIFIABLE":
      return `${file}: UNVERIFIABLE: ${answer.why}; it names the signer ${answer.signer}`;
  }
}
