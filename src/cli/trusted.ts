/** The keys that a verifier trusts: named on the command line, a state's own, or the box's list. */
import { unhex } from "../base/bytes.ts";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { type PublicKey, publicKey } from "../receipt/keys.ts";
import { loadNodeKey } from "../store/node_key.ts";
import { publicKeyPath } from "./node.ts";

/** @returns the public half of a state folder's key. @throws VeiError `key-…`. */
export async function stateKey(state: string): Promise<PublicKey> {
  // There when the service's key is a credential, which nobody else can read.
  const half = await Deno.readTextFile(publicKeyPath(state)).catch(() => "");
  if (/^[0-9a-f]{64}\n$/.test(half)) return await publicKey(unhex(half.trim()));
  const none = () => {
    throw new TypeError("No key is made here");
  };
  return (await loadNodeKey(`${state}/node.key`, { mayMake: false, random: none })).publicKey;
}

/**
 * @param text 64 hex digits, or the path of a file with one key a line (`#` begins a comment).
 * @throws VeiError `trusted-keys`.
 */
export async function keysFrom(text: string): Promise<PublicKey[]> {
  if (/^[0-9a-f]{64}$/i.test(text)) return [await publicKey(unhex(text))];
  let lines: string[];
  try {
    lines = (await Deno.readTextFile(text)).split("\n");
  } catch (cause) {
    throw unusable(`Cannot read the key file ${text}: ${messageOf(cause)}`, cause);
  }
  const keys: PublicKey[] = [];
  for (const [i, line] of lines.entries()) {
    const word = line.replace(/#.*/, "").trim();
    if (word === "") continue;
    if (!/^[0-9a-f]{64}$/i.test(word)) throw unusable(`${text}:${i + 1}: not 64 hex digits`);
    keys.push(await publicKey(unhex(word)));
  }
  return keys;
}

function unusable(message: string, cause?: unknown): VeiError {
  return new VeiError({
    code: "trusted-keys",
    message,
    hint: "`vei receipt key` on the signing node prints its key",
    exit: Exit.noInput,
    cause,
  });
}
