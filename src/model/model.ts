/** What every model adapter is: it starts runs, and a run is a stream of deltas. None is trusted. */
import type { Delta } from "../lens/chat_chunk.ts";

export interface Message {
  role: "system" | "user" | "assistant";
  content: string;
}

export interface ChatRequest {
  /** A conversation, for the model's chat template; or bare text that it goes on with. */
  prompt: Message[] | string;
  maxTokens: number;
  temperature: number;
  seed: number;
}

export interface Run {
  /** Our port of the flow to the enclave, by which kernel events name it; null elsewhere. */
  readonly port: number | null;
  readonly deltas: AsyncIterable<Delta>;
}

export interface Model {
  readonly kind: "enclave" | "url" | "mock";
  readonly name: string;
  /** SHA-256 of the weights; null where we do not have them. */
  readonly sha256: string | null;
  /**
   * @param signal ends the run, also in the middle of a read.
   * @throws VeiError when the model cannot be reached.
   */
  start(request: ChatRequest, signal: AbortSignal): Promise<Run>;
}
