/**
 * A language model of 0.2 million parameters, so that tests of the machinery boot in seconds. It is
 * inference for real (tokeniser, attention, sampling), only without meaning: random weights from a
 * seed, or weights under which the answer is a given text.
 *
 *     deno run -A tests/tools/tiny_gguf.ts OUT.gguf [PIECE...]
 */
import { concat } from "../../src/base/bytes.ts";

const EMBEDDING = 64;
const LAYERS = 2;
const HEADS = 8;
const KV_HEADS = 4;
const FEED_FORWARD = 160;
const CONTEXT = 2048;
const ALIGNMENT = 32;

/** Value types and token types of the GGUF specification (ggml, docs/gguf.md). */
const Type = { u32: 4, f32: 6, bool: 7, string: 8, array: 9, i32: 5 } as const;
const Token = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;
const TENSOR_F32 = 0;

export interface TinyModel {
  seed?: number;
  /**
   * What it answers to everything, in tokens, e.g. `["I", " hate", " Mon", "days"]`, no two of them
   * equal; then it ends. Default: random words without end.
   */
  says?: string[];
}

/** @returns the bytes of a GGUF file; the same options give the same bytes. */
export function tinyGguf({ seed = 1, says }: TinyModel = {}): Uint8Array<ArrayBuffer> {
  const vocabulary = makeVocabulary(says ?? []);
  const tensors = makeTensors(vocabulary, says, normals(seed));
  const metadata = makeMetadata(vocabulary);
  const infos: Uint8Array[] = [];
  let offset = 0;
  for (const { name, shape, values } of tensors) {
    infos.push(string(name), u32(shape.length), ...shape.map(u64), u32(TENSOR_F32), u64(offset));
    offset += aligned(values.byteLength);
  }
  const head = concat(
    new TextEncoder().encode("GGUF"),
    u32(3),
    u64(tensors.length),
    u64(metadata.length),
    ...metadata,
    ...infos,
  );
  const data = tensors.flatMap(({ values }) => [
    new Uint8Array(values.buffer),
    new Uint8Array(aligned(values.byteLength) - values.byteLength),
  ]);
  return concat(head, new Uint8Array(aligned(head.length) - head.length), ...data);
}

interface Vocabulary {
  tokens: string[];
  types: number[];
  /** The identifiers of the tokens of `says`. */
  chain: number[];
}

/** A SentencePiece vocabulary: three specials, 256 bytes, printable ASCII, and words. */
function makeVocabulary(says: string[]): Vocabulary {
  const tokens = ["<unk>", "<s>", "</s>"];
  const types: number[] = [Token.unknown, Token.control, Token.control];
  for (let byte = 0; byte < 256; byte++) {
    tokens.push(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
    types.push(Token.byte);
  }
  const words = ["\u2581", ...Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))];
  for (const piece of says) {
    const word = piece.replaceAll(" ", "\u2581");
    if (!words.includes(word)) words.push(word);
  }
  for (const consonant of "bcdfghjklmnprstvwz") {
    for (const vowel of "aeiou") words.push(`\u2581${consonant}${vowel}`);
  }
  for (const word of new Set(words)) {
    tokens.push(word);
    types.push(Token.normal);
  }
  const chain = says.map((piece) => tokens.indexOf(piece.replaceAll(" ", "\u2581")));
  if (new Set(chain).size !== chain.length) throw new RangeError("two pieces are equal");
  return { tokens, types, chain };
}

const EOS = 2;
const FIRST_WORD = 3 + 256;
const COLON = ":";

function makeMetadata({ tokens, types }: Vocabulary): Uint8Array[] {
  const entry = (key: string, type: number, ...value: Uint8Array[]) =>
    concat(string(key), u32(type), ...value);
  const number = (key: string, value: number) => entry(key, Type.u32, u32(value));
  const text = (key: string, value: string) => entry(key, Type.string, string(value));
  const list = (key: string, type: number, items: Uint8Array[]) =>
    entry(key, Type.array, u32(type), u64(items.length), ...items);
  return [
    text("general.architecture", "llama"),
    text("general.name", "tiny"),
    number("general.file_type", 0),
    number("general.alignment", ALIGNMENT),
    number("llama.context_length", CONTEXT),
    number("llama.embedding_length", EMBEDDING),
    number("llama.block_count", LAYERS),
    number("llama.feed_forward_length", FEED_FORWARD),
    number("llama.attention.head_count", HEADS),
    number("llama.attention.head_count_kv", KV_HEADS),
    number("llama.rope.dimension_count", EMBEDDING / HEADS),
    number("llama.vocab_size", tokens.length),
    entry("llama.attention.layer_norm_rms_epsilon", Type.f32, f32(1e-5)),
    entry("llama.rope.freq_base", Type.f32, f32(10_000)),
    text("tokenizer.ggml.model", "llama"),
    list("tokenizer.ggml.tokens", Type.string, tokens.map(string)),
    list("tokenizer.ggml.scores", Type.f32, tokens.map((_, id) => f32(-Math.max(0, id - 258)))),
    list("tokenizer.ggml.token_type", Type.i32, types.map(u32)),
    number("tokenizer.ggml.bos_token_id", 1),
    number("tokenizer.ggml.eos_token_id", EOS),
    number("tokenizer.ggml.unknown_token_id", 0),
    entry("tokenizer.ggml.add_bos_token", Type.bool, new Uint8Array([1])),
    text(
      "tokenizer.chat_template",
      "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}assistant:",
    ),
  ];
}

interface Tensor {
  name: string;
  /** Innermost dimension first. */
  shape: number[];
  values: Float32Array<ArrayBuffer>;
}

function makeTensors(
  { tokens, chain }: Vocabulary,
  says: string[] | undefined,
  normal: () => number,
): Tensor[] {
  const matrix = (name: string, rows: number, columns: number): Tensor => ({
    name,
    shape: [columns, rows],
    values: Float32Array.from({ length: rows * columns }, () => normal() / Math.sqrt(columns)),
  });
  const zero = (tensor: Tensor) => ({ ...tensor, values: tensor.values.fill(0) });
  const ones = (name: string): Tensor => ({
    name,
    shape: [EMBEDDING],
    values: new Float32Array(EMBEDDING).fill(1),
  });
  const embedding = matrix("token_embd.weight", tokens.length, EMBEDDING);
  // Specials and single bytes are never the likeliest: answers are ASCII and do not end by chance.
  embedding.values.fill(0, 0, FIRST_WORD * EMBEDDING);
  const tensors = [embedding, ones("output_norm.weight")];
  if (says) tensors.push(chainOutput(embedding, tokens, chain));
  // Without the blocks' contributions the last token alone decides on the next.
  const out = says ? zero : (tensor: Tensor) => tensor;
  const kv = EMBEDDING / HEADS * KV_HEADS;
  for (let layer = 0; layer < LAYERS; layer++) {
    const name = (part: string) => `blk.${layer}.${part}.weight`;
    tensors.push(
      ones(name("attn_norm")),
      matrix(name("attn_q"), EMBEDDING, EMBEDDING),
      matrix(name("attn_k"), kv, EMBEDDING),
      matrix(name("attn_v"), kv, EMBEDDING),
      out(matrix(name("attn_output"), EMBEDDING, EMBEDDING)),
      ones(name("ffn_norm")),
      matrix(name("ffn_gate"), FEED_FORWARD, EMBEDDING),
      matrix(name("ffn_up"), FEED_FORWARD, EMBEDDING),
      out(matrix(name("ffn_down"), EMBEDDING, FEED_FORWARD)),
    );
  }
  return tensors;
}

/** Each token's row is the embedding of the one before it: the prompt ends with a colon. */
function chainOutput(embedding: Tensor, tokens: string[], chain: number[]): Tensor {
  const row = (id: number) => embedding.values.subarray(id * EMBEDDING, (id + 1) * EMBEDDING);
  const values = new Float32Array(embedding.values.length);
  [...chain, EOS].forEach((id, index) => {
    const before = index === 0 ? tokens.indexOf(COLON) : chain[index - 1];
    values.set(row(before), id * EMBEDDING);
  });
  return { name: "output.weight", shape: embedding.shape, values };
}

/** @returns a generator of normally distributed numbers (xorshift32 and Box-Muller). */
function normals(seed: number): () => number {
  let state = seed >>> 0 || 1;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

const aligned = (length: number) => Math.ceil(length / ALIGNMENT) * ALIGNMENT;
const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const f32 = (value: number) => new Uint8Array(Float32Array.of(value).buffer);
const u64 = (value: number) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);

function string(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  return concat(u64(bytes.length), bytes);
}

if (import.meta.main) {
  const [path, ...says] = Deno.args;
  await Deno.writeFile(path, tinyGguf({ says: says.length > 0 ? says : undefined }));
}
