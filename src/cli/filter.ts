/** `vei filter`: standard input to standard output, as far as a policy allows. */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { Monitor, type MonitorProgram } from "../gate/monitor.ts";
import type { Policy } from "../policy/policy.ts";
import { shippedPolicies } from "../../diodes/shipped.ts";
import type { Command, Terminal } from "./command.ts";
import { policySource } from "./named_text.ts";
import { cachedForUser } from "./policy_cache.ts";
import { jsonText, printable } from "./terminal.ts";
import { usageError } from "./usage.ts";

export const command: Command = {
  name: "filter",
  summary: "standard input to standard output, as far as a policy allows; exit 3 where it ends",
  usage: "[--input] POLICY|FILE",
  notes: [
    "Each byte is written as soon as it cannot become part of a violation any more, whatever " +
    "follows. At a violation nothing of it is written, the verdict goes to standard error (with " +
    "--json as one line: policy, rule, description, offset, start, released), and the exit code " +
    "is 3. Offsets are bytes, from 0; released is how many were written.",
    "Bytes are written as they came. Only where standard output is a terminal do control " +
    "characters become U+FFFD, as nothing that was read may steer it.",
    "It takes neither root nor a daemon, state or network. Exit 0: the whole input passed. Where " +
    "the reader of standard output has gone, it ends without a word, and with 74: what it did not " +
    "read has not been judged.",
  ],
  example: "vei filter secrets < answer.txt",
  options: {
    input: { type: "boolean", describe: "by the policy's rules on input, not those on output" },
  },
  filters: true,
  complete: { wordsOrFile: shippedPolicies() },
  async run(context) {
    const { positionals, options, json, terminal } = context;
    if (positionals.length !== 1) {
      throw usageError("Name one policy", "`vei policy list` shows them; a file's path works too");
    }
    const source = await policySource(positionals[0]);
    const { policy, input, output } = await cachedForUser(source, context);
    const asInput = options.input === true;
    const end = await filtered(asInput ? input : output, asInput ? null : policy.limits.maxTimeMs);
    if (end === "passed") return Exit.ok;
    if (end === "reader gone") return Exit.io;
    if (json) terminal.err(jsonText(verdictOf(end, policy)));
    else tell(end, policy, terminal);
    return Exit.refused;
  },
};

interface Ended {
  rule: string;
  offset: number;
  start: number;
  /** Bytes that were written. */
  released: number;
}

type End = Ended | "passed" | "reader gone";

/** As much as a pipe holds. */
const CHUNK = 65_536;

/** @param maxTimeMs null: no limit. */
async function filtered(program: MonitorProgram, maxTimeMs: number | null): Promise<End> {
  const filter = new Filter(program);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const overtime = new Promise<End>((resolve) => {
    if (maxTimeMs === null) return;
    timer = setTimeout(() => resolve(filter.stop()), maxTimeMs);
  });
  try {
    return await Promise.race([filter.run(), overtime]);
  } finally {
    clearTimeout(timer);
  }
}

class Filter {
  private readonly monitor: Monitor;
  private readonly out = Deno.stdout.isTerminal() ? new Screen() : new Bytes();
  private received = 0;
  private released = 0;
  private stopped = false;

  constructor(private readonly program: MonitorProgram) {
    this.monitor = new Monitor(program);
  }

  async run(): Promise<End> {
    const chunk = new Uint8Array(CHUNK);
    for (;;) {
      const read = await reading(chunk);
      const { released, violation } = read === null
        ? this.monitor.end()
        : this.monitor.push(chunk.subarray(0, read));
      this.received += read ?? 0;
      const ended = read === null || violation !== null;
      if (this.stopped) return "passed"; // nobody asks any more
      if (!await this.out.write(released, ended)) return "reader gone";
      this.released += released.length;
      if (violation !== null) {
        const { rule, offset, start } = violation;
        return { rule: this.program.rules[rule], offset, start, released: this.released };
      }
      if (ended) return "passed";
    }
  }

  /** The time is over: what is held back is not released. */
  stop(): Ended {
    this.stopped = true;
    const { received, released } = this;
    return { rule: "limit:max_time", offset: received, start: released, released };
  }
}

/** @returns how many bytes were read, null at the end. */
async function reading(into: Uint8Array): Promise<number | null> {
  try {
    return await patiently(() => Deno.stdin.read(into));
  } catch (cause) {
    throw broken("read standard input", cause);
  }
}

/** Standard output as it is. */
class Bytes {
  /** @returns false where the reader has gone. */
  async write(bytes: Uint8Array, _last: boolean): Promise<boolean> {
    try {
      while (bytes.length > 0) {
        const rest = bytes;
        bytes = bytes.subarray(await patiently(() => Deno.stdout.write(rest)));
      }
      return true;
    } catch (cause) {
      if (cause instanceof Deno.errors.BrokenPipe) return false;
      throw broken("write to standard output", cause);
    }
  }
}

/** A terminal, which obeys what is written to it. */
class Screen extends Bytes {
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  private readonly encoder = new TextEncoder();

  override async write(bytes: Uint8Array, last: boolean): Promise<boolean> {
    const text = this.decoder.decode(bytes, { stream: !last });
    return await super.write(this.encoder.encode(printable(text)), last);
  }
}

/** Whoever shares a pipe or a terminal with us may have told the kernel not to let us wait. */
async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (cause) {
      if (!(cause instanceof Deno.errors.WouldBlock)) throw cause;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function verdictOf(end: Ended, policy: Policy) {
  const { rule, offset, start, released } = end;
  const { description } = [...policy.forbid, ...policy.require].find(({ id }) => id === rule) ??
    { description: "" };
  return {
    policy: policy.name,
    rule,
    ...(description === "" ? {} : { description }),
    offset,
    start,
    released,
  };
}

function tell(end: Ended, policy: Policy, terminal: Terminal): void {
  // The verdict is not to stand behind the text.
  if (Deno.stdout.isTerminal()) terminal.write("\n");
  const { rule, description, offset, start, released } = verdictOf(end, policy);
  terminal.err(`vei: policy ${policy.name}: rule ${rule} at byte ${offset}`);
  if (description !== undefined) terminal.err(`     ${description.trim()}`);
  terminal.err(`     it starts at byte ${start}; ${released} bytes were written before it`);
}

function broken(what: string, cause: unknown): VeiError {
  return new VeiError({
    code: "stream-broken",
    message: `Cannot ${what}: ${messageOf(cause)}`,
    hint: "what was written is allowed; the rest has not been judged",
    exit: Exit.io,
    cause,
  });
}
