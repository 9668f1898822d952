/** One prompt of the demonstration, straight at the model server, shown as it comes. */
import { chat } from "../model/enclave.ts";
import type { ChatRequest, Message } from "../model/model.ts";
import type { Terminal } from "./command.ts";
import { printable } from "./terminal.ts";

/** What came of one prompt. */
export interface Told {
  text: string;
  /** null where the answer did not end by itself. */
  finish: string | null;
  /** Our port of the flow, which the kernel's events name. */
  port: number;
  /** Seconds from the request to the first text; null where none came. */
  firstTextSeconds: number | null;
  /** Text events a second after the first; null with fewer than two. */
  tokensPerSecond: number | null;
  tokens: number;
}

export interface Asking {
  connect(): Promise<Deno.TcpConn>;
  host: string;
  terminal: Terminal;
  /** Ends the reading early (the connection is closed). */
  signal: AbortSignal;
  onConnected?: (port: number) => void;
  onText?: (text: string) => void;
}

/** @returns a greedy, reproducible request. */
export function greedy(user: string, maxTokens: number, system?: string): ChatRequest {
  const messages: Message[] = system === undefined ? [] : [{ role: "system", content: system }];
  messages.push({ role: "user", content: user });
  return { prompt: messages, maxTokens, temperature: 0, seed: 0 };
}

/**
 * Sends the prompt and writes the answer to the terminal while it streams.
 * @throws what the connection throws, unless `signal` was aborted.
 */
export async function ask(request: ChatRequest, asking: Asking): Promise<Told> {
  const { terminal, signal } = asking;
  const question = (request.prompt.at(-1) as Message).content;
  terminal.err(`  prompt   ${JSON.stringify(question)}`);
  const connection = await asking.connect();
  const port = (connection.localAddr as Deno.NetAddr).port;
  asking.onConnected?.(port);
  const begun = performance.now();
  const texts: { at: number; text: string }[] = [];
  let finish: string | null = null;
  let line: Line | null = new Line(terminal);
  line.show("reading the prompt…");
  try {
    for await (const delta of chat(connection, asking.host, request, { signal })) {
      if (delta.kind === "progress") {
        line?.show(`reading the prompt… ${delta.processed}/${delta.total} tokens`);
      }
      if (delta.kind === "finish") finish = delta.reason;
      if (delta.kind !== "text") continue;
      if (line) {
        line.end();
        line = null;
        terminal.write("  answer   ");
      }
      texts.push({ at: performance.now(), text: delta.text });
      terminal.write(printable(delta.text).replaceAll("\n", "\n           "));
      asking.onText?.(delta.text);
    }
  } catch (cause) {
    if (!signal.aborted) throw cause;
  } finally {
    if (line) line.end();
    else terminal.write("\n");
  }
  return summary(texts, finish, port, begun);
}

function summary(
  texts: { at: number; text: string }[],
  finish: string | null,
  port: number,
  begun: number,
): Told {
  const span = texts.length < 2 ? 0 : texts.at(-1)!.at - texts[0].at;
  return {
    text: texts.map((one) => one.text).join(""),
    finish,
    port,
    firstTextSeconds: texts.length === 0 ? null : round((texts[0].at - begun) / 1000),
    tokensPerSecond: span === 0 ? null : round((texts.length - 1) / (span / 1000)),
    tokens: texts.length,
  };
}

/** @returns two decimals. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** A line that is drawn again at a terminal, and written once elsewhere. */
class Line {
  private shown = false;
  constructor(private readonly terminal: Terminal) {}
  show(text: string): void {
    if (this.terminal.interactive) this.terminal.redraw(`  ${text}`);
    else if (!this.shown) this.terminal.err(`  ${text}`);
    this.shown = true;
  }
  end(): void {
    if (this.terminal.interactive && this.shown) this.terminal.redraw("");
  }
}
