/** What people made: removed only when they say so in so many words. */
import type { Instance } from "../host/instance.ts";
import { exists } from "../host/missing.ts";
import { readReceipts } from "../store/read_receipts.ts";

type Say = (what: string, path: string, done: string) => void;

/** Removes an instance's state and configuration, and says each part before it goes. */
export async function purge({ state, config }: Instance, say: Say): Promise<void> {
  if (await exists(state)) {
    const known: [string, string][] = [
      ["receipts", "receipts.log"],
      ["key", "node.key"],
      ["models", "models"],
      ["images", "images"],
    ];
    for (const [what, name] of known) {
      const path = `${state}/${name}`;
      if (!await exists(path)) continue;
      const count = what === "receipts" ? ` ${await countReceipts(path)}` : "";
      say(what, path, `removing${count}`);
    }
    await Deno.remove(state, { recursive: true });
    say("state", state, "removed, with all that was in it");
  }
  const folder = config.slice(0, config.lastIndexOf("/"));
  if (await exists(folder)) {
    const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
    await Deno.remove(folder, { recursive: true });
    say("configuration", folder, `removed (${names.toSorted().join(", ") || "empty"})`);
  }
}

/** @returns how many there are; a log that cannot be read is removed all the same. */
async function countReceipts(path: string): Promise<string> {
  let count = 0;
  try {
    for await (const _receipt of readReceipts(path)) count++;
    return count === 1 ? "1 receipt" : `${count} receipts`;
  } catch {
    return "a log that cannot be read";
  }
}
