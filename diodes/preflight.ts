/**
 * Whether a diode can stand before the enclave at all: what the guest's model server sends by itself
 * goes through its judgement before anything is made. Most predicates do not let HTTP through, and
 * an enclave behind one of those would never be ready, without a word of why.
 */
import { Exit, VeiError } from "../src/base/errors.ts";
import { judge, type Judgement } from "../src/automaton/judgement.ts";
import { MOST_PAYLOAD } from "../src/bpf/frame.ts";
import type { DiodePlan } from "./plan.ts";
// Packet by packet, one character a byte: tests/tools/record_model_server.ts has recorded it.
import recorded from "./recorded/model_server.json" with { type: "json" };

/** What is recorded, and what it is called: the answers to `/health`, and to a question. */
const PARTS = [
  ["greeting", "greeting"],
  ["loading", "greeting while it loads its model"],
  ["streamed", "streamed answer"],
] as const;

/** The first packet that is refused. */
export interface Refusal {
  /** Which of the recorded answers. */
  part: string;
  /** Its number in the answer, from 1; null: the packets are joined, as TCP may send them again. */
  packet: number | null;
  payload: Uint8Array;
  /** Index of the byte that decided; the payload's length when its end did. */
  offset: number;
}

/** @returns what a judgement refuses of the recorded answers; null: nothing. */
export function refusedOfServer(judgement: Judgement): Refusal | null {
  for (const [key, part] of PARTS) {
    const packets = recorded[key].map((text) => bytes(text));
    const joined = inFullPackets(recorded[key].join(""));
    for (const [i, payload] of [...packets, ...joined].entries()) {
      const { accepted, offset } = judge(judgement, payload);
      if (!accepted) return { part, packet: i < packets.length ? i + 1 : null, payload, offset };
    }
  }
  return null;
}

/** @throws VeiError `diode-unfit` when a diode refuses what the model server has to say. */
export function requireFit({ name, judgement }: Pick<DiodePlan, "name" | "judgement">): void {
  const refusal = refusedOfServer(judgement);
  if (refusal === null) return;
  throw new VeiError({
    code: "diode-unfit",
    message: `\`${name}\` refuses ${describe(refusal)}`,
    hint: "an enclave's server speaks HTTP: `text`, `hateless` and `utf8` let it through; " +
      `\`${name}\` works with \`vei diode try\` and \`vei diode attach\``,
    exit: Exit.config,
  });
}

/** Bytes and packets are counted from 1. */
function describe({ part, packet, payload, offset }: Refusal): string {
  const where = packet === 1
    ? ""
    : packet === null
    ? " when its packets are joined"
    : ` in its packet ${packet}`;
  const of = `of the model server's ${part}${where}`;
  if (offset >= payload.length) return `the end, after ${payload.length} bytes, ${of}`;
  const before = payload.subarray(Math.max(0, offset - 16), offset);
  const after = before.length === 0 ? "" : `, after ${JSON.stringify(text(before))}`;
  return `byte ${offset + 1}, ${nameOf(payload[offset])}, ${of}${after}`;
}

const NAMES: Readonly<Record<number, string>> = { 9: "tab", 10: "LF", 13: "CR", 32: "space" };

function nameOf(byte: number): string {
  if (Object.hasOwn(NAMES, byte)) return NAMES[byte];
  const printable = byte > 0x20 && byte < 0x7f;
  return printable ? `"${text([byte])}"` : `0x${byte.toString(16).padStart(2, "0")}`;
}

function inFullPackets(all: string): Uint8Array[] {
  const count = Math.ceil(all.length / MOST_PAYLOAD);
  return Array.from(
    { length: count },
    (_, i) => bytes(all.slice(i * MOST_PAYLOAD, (i + 1) * MOST_PAYLOAD)),
  );
}

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const text = (bytes: Iterable<number>) => String.fromCharCode(...bytes);
