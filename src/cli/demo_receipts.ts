/** The steps that show the monitor and the receipts. */
import { messageOf } from "../base/errors.ts";
import type { Verdict } from "../receipt/statement.ts";
import type { ChatRequest } from "../model/model.ts";
import { askDaemon, type Told } from "./ask_daemon.ts";
import { FORBIDDEN, FORBIDDEN_WORD, PROMPT_MS, SHORT, type Stage } from "./demo_stage.ts";
import { printable } from "./terminal.ts";

/**
 * One prompt through the API, as an ordinary client asks it.
 * @returns null where the connection broke off.
 */
export async function askThroughApi(
  stage: Stage,
  request: ChatRequest,
  onText: (text: string) => void = () => {},
): Promise<Told | null> {
  stage.checkStop();
  const { world, terminal, stop } = stage;
  const question = typeof request.prompt === "string"
    ? request.prompt
    : request.prompt.at(-1)!.content;
  terminal.err(`  prompt   ${JSON.stringify(question)}`);
  const signal = AbortSignal.any([stop, AbortSignal.timeout(PROMPT_MS)]);
  let begun = false;
  const endLine = () => {
    if (begun) terminal.write("\n");
    begun = false;
  };
  const show = (text: string) => {
    if (!begun) terminal.write("  answer   ");
    begun = true;
    terminal.write(printable(text).replaceAll("\n", "\n           "));
    onText(text);
  };
  const quiet = { ...terminal, err: (line: string) => terminal.err(`  ${line}`) };
  try {
    return await askDaemon({ instance: world.instance, terminal: quiet }, request, signal, show);
  } catch (cause) {
    endLine();
    stage.checkStop();
    if (signal.aborted) throw cause;
    terminal.err(`  broke off: ${messageOf(cause)}`);
    return null;
  } finally {
    endLine();
  }
}

/** Both prompts through the API, each with its receipt. */
export async function answersThroughTheApi(stage: Stage): Promise<void> {
  stage.begin("the same through the API, as an OpenAI client asks; each leaves a receipt");
  const good = await askThroughApi(stage, SHORT);
  stage.expect(good?.verdict.outcome === "completed", "the harmless prompt was not answered");
  stage.shown(`completed, receipt ${good.id}`);
  const bad = await askThroughApi(stage, FORBIDDEN);
  stage.expect(bad?.verdict.outcome === "aborted", "the forbidden answer was not stopped");
  stage.expect(!bad.text.toLowerCase().includes(FORBIDDEN_WORD), "the forbidden word came through");
  const { by, rule, offset } = bad.verdict;
  stage.shown(`aborted by the ${by} (${rule}, byte ${offset}), receipt ${bad.id}`);
}

/** A word that no packet holds whole: a server of our own cuts it, in place of a model. */
export async function stopsTheCutWord(stage: Stage): Promise<void> {
  stage.begin(`"${FORBIDDEN_WORD}" cut over two events: no packet holds it, the monitor stops it`);
  const pieces = ["I ", "ha", "te", " rain."];
  const events = pieces.map((content) => ({
    choices: [{ index: 0, finish_reason: null, delta: { content } }],
  }));
  const lines = events.map((event) => `data: ${JSON.stringify(event)}\n\n`);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    const body = ReadableStream.from(lines).pipeThrough(new TextEncoderStream());
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  try {
    const url = `http://127.0.0.1:${server.addr.port}/v1`;
    stage.terminal.err(`  server   says ${JSON.stringify(pieces)} at ${url} (no model)`);
    const asked = await stage.world.askElsewhere(url);
    const { text, verdict, id }: Told = JSON.parse(asked);
    stage.terminal.out(`  answer   ${printable(text)}`);
    const wanted: Verdict = {
      outcome: "aborted",
      by: "monitor",
      rule: FORBIDDEN_WORD,
      offset: 5,
      start: 2,
    };
    const same = Object.entries(wanted).every(([name, value]) =>
      (verdict as Record<string, unknown>)[name] === value
    );
    stage.expect(same, `the monitor's verdict was ${JSON.stringify(verdict)}`);
    stage.expect(text === "I ", "not exactly what came before the word was released");
    stage.shown(`aborted by the monitor at byte 5; released was "I ", receipt ${id}`);
  } finally {
    await server.shutdown();
  }
}

interface Listed {
  id: string;
  verdict: Verdict;
}

async function list(stage: Stage): Promise<Listed[]> {
  const result = await stage.world.vei("receipt", "list", "--json");
  stage.expect(result.code === 0, `vei receipt list failed: ${result.stderr.trim()}`);
  return JSON.parse(new TextDecoder().decode(result.stdout));
}

/** The exchange that the daemon's end cut off has one receipt, written at the restart. */
export async function interruptedOnce(stage: Stage): Promise<void> {
  const interrupted = (await list(stage)).filter((one) => one.verdict.outcome === "interrupted");
  stage.expect(interrupted.length === 1, `${interrupted.length} interrupted receipts, not one`);
  stage.shown(
    `the answer that was cut off has exactly one receipt: interrupted, ${interrupted[0].id}`,
  );
}

/** All receipts VALID; one bit changed: INVALID. */
export async function verifiesTheReceipts(stage: Stage): Promise<void> {
  stage.begin("vei verify on every receipt; then with one bit changed");
  const folder = `${stage.world.folder}/exported`;
  await Deno.mkdir(folder, { recursive: true });
  const receipts = await list(stage);
  const files: string[] = [];
  for (const { id } of receipts) {
    const file = `${folder}/${id}.json`;
    const result = await stage.world.vei("receipt", "export", id, "--out", file);
    stage.expect(result.code === 0, `vei receipt export failed: ${result.stderr.trim()}`);
    files.push(file);
  }
  const good = await stage.world.vei("verify", ...files);
  stage.expect(good.code === 0, "not every receipt is VALID");
  stage.shown(`${files.length} receipts: VALID`);
  const changed = `${folder}/changed.json`;
  const bytes = await Deno.readFile(files[0]);
  bytes[bytes.length >> 1] ^= 1;
  await Deno.writeFile(changed, bytes);
  const bad = await stage.world.vei("verify", changed);
  stage.expect(bad.code === 1, "a changed receipt is not INVALID");
  stage.shown(new TextDecoder().decode(bad.stdout).trim().replace(`${folder}/`, ""));
}
