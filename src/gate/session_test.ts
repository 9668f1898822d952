import { assertEquals, assertRejects } from "@std/assert";
import { concat } from "../base/bytes.ts";
import type { Delta } from "../lens/chat_chunk.ts";
import { type End, runSession } from "./session.ts";
import { programWith } from "../../tests/tools/policies.ts";

const program = programWith([{ words: ["hate", "ätzend"], ignoreCase: true }]);
const never = new Promise<never>(() => {});
const text = (value: string): Delta => ({ kind: "text", text: value });
const STOP: Delta = { kind: "finish", reason: "stop" };

async function* from(deltas: Delta[], log?: string[]): AsyncGenerator<Delta> {
  try {
    yield* deltas;
  } finally {
    log?.push("closed");
  }
}

async function run(deltas: AsyncIterable<Delta>, stop: Promise<unknown> = never) {
  const texts: string[] = [];
  const bytes: Uint8Array[] = [];
  const result = await runSession({
    program,
    deltas,
    stop,
    emit: (text, part) => {
      texts.push(text);
      bytes.push(part.slice());
    },
  });
  assertEquals(new TextDecoder("utf-8", { fatal: true }).decode(concat(...bytes)), texts.join(""));
  return { texts, released: texts.join(""), ...result };
}

const finished: End<unknown> = { kind: "finished", finish: "stop" };

Deno.test("an answer without a match is released whole, each token when it comes", async () => {
  const tokens = ["The", " capital", " is", " Paris", "."];
  const { texts, end, tokens: count } = await run(from([...tokens.map(text), STOP]));
  assertEquals([texts, end, count], [tokens, finished, 5]);
});

Deno.test("a forbidden word is stopped for every cutting into tokens, and the model is cancelled", async () => {
  const answer = "I so hate it, and hate again";
  for (let a = 0; a <= answer.length; a++) {
    for (let b = a; b <= answer.length; b++) {
      const log: string[] = [];
      const pieces = [answer.slice(0, a), answer.slice(a, b), answer.slice(b)];
      const { released, end } = await run(from([...pieces.map(text), STOP], log));
      const violation = { rule: 0, offset: 8, start: 5 };
      assertEquals([released, end, log], ["I so ", { kind: "violation", violation }, ["closed"]]);
    }
  }
});

Deno.test("characters are released whole, also where a match may begin inside one", async () => {
  // "ä" and "å" share their first byte: after "å" nothing is held, after "ä" the word may begin.
  for (const answer of ["å", "äh, å, ä", "ätzen", "😀ä"]) {
    const { released, end } = await run(from([...[...answer].map(text), STOP]));
    assertEquals([released, end], [answer, finished]);
  }
});

Deno.test("what was held back is released at the end, but not when the answer breaks off", async () => {
  assertEquals((await run(from([text("I ha"), STOP]))).released, "I ha");
  const { released, end } = await run(from([text("I ha")]));
  assertEquals([released, end.kind], ["I ", "failed"]);
});

Deno.test("a stop from outside ends it at once, though the model hangs", async () => {
  const log: string[] = [];
  async function* hangs(): AsyncGenerator<Delta> {
    try {
      yield text("a");
      await never;
    } finally {
      log.push("closed");
    }
  }
  const stop = Promise.withResolvers<string>();
  const running = run(hangs(), stop.promise);
  await new Promise((resolve) => setTimeout(resolve, 10));
  stop.resolve("kernel");
  const { released, end } = await running;
  assertEquals([released, end], ["a", { kind: "stopped", stop: "kernel" }]);
});

Deno.test("an error of the model ends it as failed, with its cause", async () => {
  async function* fails(): AsyncGenerator<Delta> {
    yield text("a");
    throw new Error("gone");
  }
  const { released, end } = await run(fails());
  assertEquals([released, end.kind === "failed" && String(end.cause)], ["a", "Error: gone"]);
});

Deno.test("the model is asked for more only when the sink has taken what there was", async () => {
  const log: string[] = [];
  async function* model(): AsyncGenerator<Delta> {
    for (const piece of ["a", "b", "c"]) {
      log.push(`made ${piece}`);
      yield text(piece);
    }
    yield STOP;
  }
  await runSession({
    program,
    deltas: model(),
    stop: never,
    emit: async (piece) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      log.push(`took ${piece}`);
    },
  });
  assertEquals(log, ["made a", "took a", "made b", "took b", "made c", "took c"]);
});

Deno.test("a sink that throws ends the session with its error", async () => {
  const log: string[] = [];
  const failing = runSession({
    program,
    deltas: from([text("a"), STOP], log),
    stop: never,
    emit: () => {
      throw new Error("client gone");
    },
  });
  await assertRejects(() => failing, Error, "client gone");
  assertEquals(log, ["closed"]);
});

Deno.test("a model that never ends is ended by our own count, as by its length", async () => {
  const log: string[] = [];
  async function* endless(): AsyncGenerator<Delta> {
    try {
      for (;;) yield text("h");
    } finally {
      log.push("closed");
    }
  }
  const released: string[] = [];
  const { end, tokens } = await runSession({
    program,
    deltas: endless(),
    stop: never,
    maxTokens: 5,
    emit: (piece) => void released.push(piece),
  });
  assertEquals([released.join(""), tokens, end], ["hhhhh", 5, {
    kind: "finished",
    finish: "length",
  }]);
  assertEquals(log, ["closed"]);
});
