/** `vei ask` through the running daemon: the answer has passed its gates already. */
import { POLICY_HEADER } from "../api/chat.ts";
import { Exit, VeiError } from "../base/errors.ts";
import type { ChatRequest } from "../model/model.ts";
import type { Verdict } from "../receipt/statement.ts";
import type { CommandContext } from "./command.ts";
import { mustFindEndpoint } from "./endpoint.ts";
import { POLICY_NAME } from "./named_text.ts";
import { usageError } from "./usage.ts";

export interface Told {
  id: string;
  text: string;
  verdict: Verdict;
}

/**
 * @param onText called with each released piece.
 * @throws VeiError `daemon-not-running`, `daemon-refused`.
 */
export async function askDaemon(
  { instance, terminal }: Pick<CommandContext, "instance" | "terminal">,
  { policyName = null, ...request }: ChatRequest & { policyName?: string | null },
  signal: AbortSignal,
  onText: (text: string) => void,
): Promise<Told> {
  if (policyName !== null && !POLICY_NAME.test(policyName)) {
    throw usageError(
      `${JSON.stringify(policyName)} is no policy's name`,
      "`vei status` shows the policies that requests may choose; a file goes with --model",
    );
  }
  const endpoint = await mustFindEndpoint(instance);
  const answer = await fetch(`http://${endpoint.listen}/v1/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(policyName === null ? {} : { [POLICY_HEADER]: policyName }),
    },
    body: JSON.stringify({
      messages: request.prompt,
      max_tokens: request.maxTokens,
      temperature: request.temperature,
      seed: request.seed,
      stream: true,
    }),
    signal,
  });
  const id = answer.headers.get("vei-receipt") ?? "";
  // What the policy refuses has a receipt too.
  if (id !== "") terminal.err(`receipt ${id}`);
  if (!answer.ok) throw refused(answer.status, (await answer.json()).error);
  let text = "";
  let verdict: Verdict | null = null;
  let rest = "";
  for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
    rest += piece;
    const lines = rest.split("\n\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (!line.startsWith("data: {")) continue;
      const { choices, error, vei } = JSON.parse(line.slice(6));
      if (error) throw refused(answer.status, error);
      const content = choices?.[0]?.delta?.content;
      if (content) {
        text += content;
        onText(content);
      }
      if (vei) verdict = vei.verdict;
    }
  }
  if (!verdict) {
    throw refused(answer.status, { message: "the answer broke off", code: "interrupted" });
  }
  return { id, text, verdict };
}

function refused(status: number, error: { message: string; code: string }): VeiError {
  return new VeiError({
    code: "daemon-refused",
    message: `The daemon did not answer: ${error.message} (${error.code})`,
    hint: "`vei status` shows how it is; its log says more",
    exit: error.code.startsWith("policy_")
      ? Exit.refused
      : status === 429 || status === 503
      ? Exit.tryAgain
      : Exit.unavailable,
  });
}
