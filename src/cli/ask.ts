/** `vei ask`: one prompt, the answer through the monitor, a receipt. */
import { type Answered, exchange } from "../api/exchange.ts";
import { Exit, VeiError } from "../base/errors.ts";
import { lockState } from "../../ffi/lock.ts";
import { mockModel } from "../model/mock.ts";
import type { Model } from "../model/model.ts";
import { urlModel } from "../model/url.ts";
import type { Command, CommandContext } from "./command.ts";
import { loadConfig } from "./load_config.ts";
import { openNode } from "./node.ts";
import { printable } from "./terminal.ts";

const MAX_PROMPT_BYTES = 1024 * 1024;

export const command: Command = {
  name: "ask",
  summary: "ask a model, see what the monitor releases, keep a receipt",
  usage: "[--model mock|URL] PROMPT (or the prompt on standard input)",
  example: 'vei ask --model mock "Say something harmless"',
  options: {
    model: { type: "string", value: "mock|URL", describe: "which model answers" },
    name: { type: "string", value: "NAME", describe: "the model's name at that URL" },
    "max-tokens": { type: "string", value: "N", describe: "at most so many tokens (default 256)" },
  },
  async run(context) {
    const { instance, options, terminal } = context;
    const prompt = await promptOf(context);
    const model = modelOf(options);
    const config = await loadConfig(instance.config);
    using _lock = lockState(instance.state);
    await using node = await openNode(instance, config.policy.default);
    const stop = new AbortController();
    Deno.addSignalListener("SIGINT", () => stop.abort());
    const messages = [{ role: "user" as const, content: prompt }];
    const request = { prompt: messages, maxTokens: maxTokens(options), temperature: 0, seed: 0 };
    let text = "";
    const answered = await exchange(node, {
      input: { messages },
      request,
      model,
      kernel: null,
      signal: stop.signal,
      onBegin: (id) => {
        terminal.err(`receipt ${id}`);
        terminal.err("without a virtual machine and without a gate in the kernel: monitor only");
      },
      emit: (piece) => {
        text += piece;
        if (!context.json) terminal.write(printable(piece));
      },
    });
    if (context.json) {
      terminal.json({ id: answered.id, text, verdict: answered.verdict, tokens: answered.tokens });
    } else terminal.write("\n");
    return conclude(answered, context);
  },
};

function conclude({ verdict }: Answered, { terminal }: CommandContext): number {
  if (verdict.outcome === "completed") return Exit.ok;
  if (verdict.outcome === "interrupted") {
    terminal.err(`vei: interrupted: ${printable(verdict.why)}`);
    return Exit.unavailable;
  }
  const at = verdict.offset === null ? "" : ` at byte ${verdict.offset}`;
  terminal.err(`vei: ${verdict.outcome} by rule ${verdict.rule}${at}`);
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

function modelOf(options: CommandContext["options"]): Model {
  const model = options.model;
  if (model === "mock") return mockModel();
  if (typeof model === "string" && /^https?:/.test(model)) {
    return urlModel(model, String(options.name ?? "default"));
  }
  throw new VeiError({
    code: "usage",
    message: model === undefined
      ? "vei ask needs a model"
      : `${JSON.stringify(model)} is neither "mock" nor an http address`,
    hint: "--model mock, or --model http://127.0.0.1:8000/v1",
    exit: Exit.usage,
  });
}

function maxTokens(options: CommandContext["options"]): number {
  const text = String(options["max-tokens"] ?? "256");
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new VeiError({
    code: "usage",
    message: `--max-tokens ${JSON.stringify(text)} is not a number from 1 to 999999`,
    exit: Exit.usage,
  });
}
