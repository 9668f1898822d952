/** `vei receipt list | show | export | key`: read beside a running daemon. */
import { decodeEnvelope } from "../receipt/dsse.ts";
import { publicKeyText } from "../receipt/keys.ts";
import { decodeStatement, type Receipt } from "../receipt/statement.ts";
import { isUuid7 } from "../receipt/uuid7.ts";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { readReceipts } from "../store/read_receipts.ts";
import type { Instance } from "../host/instance.ts";
import type { Command, CommandContext } from "./command.ts";
import { stateKey } from "./trusted.ts";
import { usageError } from "./usage.ts";

const receiptsOf = (instance: Instance) => readReceipts(`${instance.state}/receipts.log`);

async function envelopeOf({ instance, positionals }: CommandContext): Promise<string> {
  const [id] = positionals;
  if (positionals.length !== 1 || !isUuid7(id)) {
    throw usageError("one receipt's id is needed", "`vei receipt list` shows them");
  }
  for await (const one of receiptsOf(instance)) if (one.receipt.id === id) return one.envelope;
  throw new VeiError({
    code: "receipt-unknown",
    message: `There is no receipt ${id} in ${instance.state}`,
    hint: "`vei receipt list` shows them; --state DIR names another folder",
    exit: Exit.noInput,
  });
}

function verdictText(receipt: Receipt): string {
  const { kind, verdict, reload } = receipt;
  if (reload) return `reload: ${verdict.outcome}, ${reload.changed.join(", ")}`;
  if (kind === "incident") return `incident: ${receipt.verdict.outcome} by the kernel, no request`;
  switch (verdict.outcome) {
    case "completed":
      return `completed (${verdict.finish})`;
    case "aborted":
      return `aborted by the ${verdict.by}: ${verdict.rule} at ${verdict.offset ?? "-"}`;
    case "refused":
      return `refused: ${verdict.rule} at ${verdict.offset}`;
    case "interrupted":
      return `interrupted: ${verdict.why}`;
    case "applied":
      return "applied";
  }
}

const list: Command = {
  name: "receipt list",
  summary: "the receipts of this node, the latest last",
  example: "vei receipt list --json",
  async run({ instance, json, terminal }) {
    const all: Receipt[] = [];
    for await (const { receipt } of receiptsOf(instance)) all.push(receipt);
    if (json) {
      terminal.json(
        all.map(({ id, sequence, kind, time, verdict }) => ({ id, sequence, kind, time, verdict })),
      );
    } else {
      for (const one of all) {
        terminal.out(
          `${String(one.sequence).padStart(6)}  ${one.id}  ${one.time.start}  ${verdictText(one)}`,
        );
      }
    }
    return Exit.ok;
  },
};

const show: Command = {
  name: "receipt show",
  summary: "what one receipt says",
  usage: "ID",
  example: "vei receipt show 018c6f2e-0000-7000-8000-000000000000",
  async run(context) {
    context.terminal.json(decodeStatement(decodeEnvelope(await envelopeOf(context)).payload));
    return Exit.ok;
  },
};

const export_: Command = {
  name: "receipt export",
  summary: "one receipt as a DSSE envelope; for `vei verify` and other people's tools",
  usage: "ID --out FILE",
  example: "vei receipt export 018c6f2e-0000-7000-8000-000000000000 --out receipt.json",
  options: { out: { type: "string", value: "FILE", describe: "written there; `-` is stdout" } },
  async run(context) {
    const out = context.options.out ?? "-";
    const text = `${await envelopeOf(context)}\n`;
    if (out === "-") context.terminal.write(text);
    else {
      try {
        await Deno.writeTextFile(String(out), text, { createNew: true });
      } catch (cause) {
        throw new VeiError({
          code: "out-unwritable",
          message: `Cannot write ${out}: ${messageOf(cause)}`,
          hint: "name a file that is not there yet",
          exit: Exit.cannotCreate,
          cause,
        });
      }
      if (context.json) context.terminal.json({ out });
    }
    return Exit.ok;
  },
};

const key: Command = {
  name: "receipt key",
  summary: "the public key that verifies this node's receipts",
  example: "vei receipt key",
  async run({ instance, json, terminal }) {
    const publicKey = await stateKey(instance.state);
    const text = publicKeyText(publicKey);
    if (json) terminal.json({ key: text, fingerprint: publicKey.fingerprint });
    else terminal.out(text);
    return Exit.ok;
  },
};

export const commands: readonly Command[] = [list, show, export_, key];
