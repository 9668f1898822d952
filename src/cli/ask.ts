/** `vei ask`: one prompt, the answer through the monitor, a receipt. */
import { exchange } from "../api/exchange.ts";
import { Exit, VeiError } from "../base/errors.ts";
import { shippedPolicies } from "../../diodes/shipped.ts";
import { lockState } from "../../ffi/lock.ts";
import type { ChatRequest, Model } from "../model/model.ts";
import type { Verdict } from "../receipt/statement.ts";
import { askDaemon, type Told } from "./ask_daemon.ts";
import { checkFormat } from "../store/format.ts";
import type { Command, CommandContext } from "./command.ts";
import { loadConfig } from "./load_config.ts";
import { openNode } from "./node.ts";
import { MODEL_OPTIONS, plainModel } from "./plain_model.ts";
import { printable } from "./terminal.ts";
import { usageError } from "./usage.ts";

const MAX_PROMPT_BYTES = 1024 * 1024;

export const command: Command = {
  name: "ask",
  summary: "ask the daemon's model, or another; see what the gate releases",
  usage: "[--model mock|URL] PROMPT (or the prompt on standard input)",
  example: 'vei ask --model mock "Say something harmless"',
  options: {
    ...MODEL_OPTIONS,
    policy: {
      ...{
        type: "string",
        value: "NAME",
        describe: "judged by this policy; with --model a file's",
      },
      complete: shippedPolicies(),
    },
    "max-tokens": { type: "string", value: "N", describe: "at most so many tokens (default 256)" },
  },
  async run(context) {
    const { options, terminal } = context;
    const model = plainModel(options);
    const policyName = options.policy === undefined ? null : String(options.policy);
    const request = {
      prompt: [{ role: "user" as const, content: await promptOf(context) }],
      maxTokens: maxTokens(options),
      temperature: 0,
      seed: 0,
    };
    const stop = new AbortController();
    Deno.addSignalListener("SIGINT", () => stop.abort());
    const show = (text: string) => {
      if (!context.json) terminal.write(printable(text));
    };
    const told = model
      ? await askPlain(context, model, request, stop.signal, show)
      : await askDaemon(context, { ...request, policyName }, stop.signal, show);
    if (context.json) terminal.json(told);
    else terminal.write("\n");
    return conclude(told.verdict, context);
  },
};

/** Without a daemon: the exchange happens in this process. */
async function askPlain(
  { instance, options, terminal }: CommandContext,
  model: Model,
  request: ChatRequest,
  signal: AbortSignal,
  show: (text: string) => void,
): Promise<Told> {
  const config = await loadConfig(instance.config);
  // Whoever runs the monitor themselves may have it enforce what they like.
  if (options.policy !== undefined) config.policy = { default: String(options.policy), allow: [] };
  using _lock = lockState(instance.state);
  checkFormat(instance.state);
  await using node = await openNode(instance, config);
  let text = "";
  const { id, verdict } = await exchange(node, {
    input: { messages: request.prompt },
    request,
    model,
    kernel: null,
    signal,
    onBegin: (id) => {
      terminal.err(`receipt ${id}`);
      terminal.err("without a virtual machine and without a gate in the kernel: monitor only");
    },
    emit: (piece) => {
      text += piece;
      show(piece);
    },
  });
  return { id, text, verdict };
}

function conclude(verdict: Verdict, { terminal }: CommandContext): number {
  if (verdict.outcome === "completed") return Exit.ok;
  if (verdict.outcome === "interrupted") {
    terminal.err(`vei: interrupted: ${printable(verdict.why)}`);
    return Exit.unavailable;
  }
  const at = verdict.offset === null ? "" : ` at byte ${verdict.offset}`;
  const by = verdict.outcome === "aborted" ? ` by the ${verdict.by}` : "";
  terminal.err(`vei: ${verdict.outcome}${by}, rule ${verdict.rule}${at}`);
  return Exit.refused;
}

async function promptOf({ positionals }: CommandContext): Promise<string> {
  if (positionals.length > 0) return positionals.join(" ");
  const bytes = new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer());
  if (bytes.length > MAX_PROMPT_BYTES) throw bad(`a prompt of ${bytes.length} bytes is too long`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw bad("the prompt is not UTF-8");
  }
  if (text.trim() === "") throw bad("the prompt is empty");
  return text;
}

function bad(why: string): VeiError {
  return new VeiError({
    code: "prompt",
    message: `Cannot ask: ${why}`,
    hint: 'for example: vei ask --model mock "Hello"',
    exit: Exit.data,
  });
}

function maxTokens(options: CommandContext["options"]): number {
  const text = String(options["max-tokens"] ?? "256");
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw usageError(`--max-tokens ${JSON.stringify(text)} is not a number from 1 to 999999`);
}
