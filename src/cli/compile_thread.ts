/** The thread of `compile_apart.ts`: compiles what it is sent, and answers once. */
import { compilePolicy } from "../api/policy.ts";
import { messageOf, VeiError } from "../base/errors.ts";
import { compilePolicyDiode } from "../../diodes/policy_diode.ts";
import type { Answer, Work } from "./compile_apart.ts";

/** A thread's own end, of which the types of a program's main thread know nothing. */
const here = globalThis as unknown as Pick<Worker, "onmessage" | "postMessage">;

here.onmessage = async ({ data }: MessageEvent<Work>) => here.postMessage(await answerTo(data));

async function answerTo({ text, path, diodeFor }: Work): Promise<Answer> {
  try {
    if (diodeFor !== null) return { plan: await compilePolicyDiode(text, path, diodeFor) };
    const begun = performance.now();
    const { output, input, echo } = await compilePolicy(text, path);
    return { programs: { output, input, echo }, ms: performance.now() - begun };
  } catch (error) {
    if (!(error instanceof VeiError)) return { failed: messageOf(error) };
    const { code, message, hint, exit } = error;
    return { refused: { code, message, hint, exit } };
  }
}
