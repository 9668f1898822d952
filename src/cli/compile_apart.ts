/**
 * Compiles policies, and diodes of policies, in a thread of their own: that takes seconds, in which
 * the daemon answers. The thread has no rights; what it made is taken over when it is whole.
 */
import { type CompiledPolicy, compilePolicy, type Programs } from "../api/policy.ts";
import { VeiError, type VeiErrorInit } from "../base/errors.ts";
import { giveBackFreed } from "../../ffi/allocator.ts";
import type { LinkRules } from "../bpf/layout.ts";
import type { DiodePlan } from "../../diodes/plan.ts";

/** So long after it was told to, a thread has ended. */
const ENDED_MS = 1000;

/** What the thread is asked: a policy's text, and the path that is named in errors. */
export interface Work {
  readonly text: string;
  readonly path: string;
  /** Of the link whose diode is to be made; null: the monitor's automata are. */
  readonly diodeFor: LinkRules | null;
}

/** What it answers, once. */
export type Answer =
  | { readonly programs: Programs; /** What compiling took. */ readonly ms: number }
  | { readonly plan: DiodePlan }
  | { readonly refused: VeiErrorInit }
  | { readonly failed: string };

/** A policy, and what compiling it took. */
export interface Timed {
  readonly compiled: CompiledPolicy;
  readonly ms: number;
}

/** @returns as compilePolicy. @throws VeiError `policy-…`; Error where the thread failed. */
export async function policyApart(text: string, path: string): Promise<Timed> {
  const answer = await ask({ text, path, diodeFor: null });
  if (!("programs" in answer)) throw errorOf(answer);
  return { compiled: await compilePolicy(text, path, answer.programs), ms: answer.ms };
}

/** @returns as compilePolicyDiode. @throws as that does; Error where the thread failed. */
export async function policyDiodeApart(
  text: string,
  path: string,
  rules: LinkRules,
): Promise<DiodePlan> {
  const answer = await ask({ text, path, diodeFor: rules });
  if (!("plan" in answer)) throw errorOf(answer);
  return answer.plan;
}

function errorOf(answer: Answer): Error {
  if ("refused" in answer) return new VeiError(answer.refused);
  return new Error(
    "failed" in answer ? answer.failed : "the compiler's thread made something else",
  );
}

async function ask(work: Work): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const thread = new Worker(new URL("./compile_thread.ts", import.meta.url), {
    type: "module",
    deno: { permissions: "none" },
  });
  thread.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
  thread.onmessageerror = () => reject(new Error("the compiler's thread cannot be understood"));
  thread.onerror = (event) => {
    event.preventDefault();
    reject(new Error(`the compiler's thread failed: ${event.message}`));
  };
  thread.postMessage(work);
  try {
    return await promise;
  } finally {
    thread.terminate();
    // It ends later, and nobody is told when. Where this fails, it costs memory only.
    setTimeout(() => giveBackFreed().catch(() => {}), ENDED_MS);
  }
}
