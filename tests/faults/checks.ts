/** The checks that every row of the fault matrix ends with. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readDiode } from "../../diodes/manager.ts";
import { setUp } from "../../ffi/netdev.ts";
import { linkState } from "../../ffi/rtnetlink.ts";
import { Tap } from "../../ffi/tap.ts";
import type { Instance } from "../../src/host/instance.ts";
import { seal } from "../../src/receipt/dsse.ts";
import { verifyReceipt } from "../../src/receipt/verify.ts";
import { loadNodeKey } from "../../src/store/node_key.ts";
import { readLines } from "../../src/store/log_file.ts";
import { readReceipts } from "../../src/store/read_receipts.ts";
import { ReceiptStore } from "../../src/store/receipts.ts";
import { serialise, spec } from "../kernel/frames.ts";
import type { Box } from "../tools/daemon.ts";
import { processesOf } from "../tools/left_overs.ts";

const VIOLATIONS = [
  serialise(spec({ payload: new TextEncoder().encode("I hate it") })),
  serialise(spec({ protocol: 17 })),
  serialise(spec({ destinationPort: 22 })),
  serialise(spec({ ethertype: 0x86dd })),
  serialise(spec({ tags: [0x81, 0, 0, 0] })),
];
const OBEDIENT = serialise(spec({ payload: new TextEncoder().encode("I like it") }));

/**
 * The gate is shut without anybody: somebody sets the tap up and writes frames into it, and what
 * breaks the rules reaches no socket. The watch of the box is the ear; it has looked all the time.
 */
export function gateShut(box: Box): void {
  const { netns, tap: name, pins } = box.instance;
  const tap = box.tap();
  if (tap?.tun && readDiode(pins) !== null && tap.xdpProgramId !== null) {
    box.inside(() => {
      using wire = Tap.open(name, { persist: true });
      const wasUp = linkState(name)!.up;
      if (!wasUp) setUp(name, true);
      box.gate.look();
      const heard = box.gate.heard;
      const before = readDiode(pins)!.counters;
      for (const frame of [...VIOLATIONS, OBEDIENT]) wire.write(frame);
      box.gate.look();
      const after = readDiode(pins)!.counters;
      assertEquals(after.pass - before.pass, 1, netns);
      assert(box.gate.heard > heard, "the test's own ear hears nothing");
      if (!wasUp) setUp(name, false);
    });
  } else if (tap?.tun) {
    assertEquals(tap.up, false, "a tap without a diode is up");
  }
  box.gate.stop();
  box.gate.assertNeverOpen();
}

/**
 * No receipt is lost or doubled: log, index and signatures agree; each request that was accepted has
 * exactly one, and what a crash left open is settled by the next start.
 * @param state folder. @param accepted ids that clients were told.
 */
export async function receiptsWhole(state: string, accepted: Iterable<string>): Promise<void> {
  const path = `${state}/receipts.log`;
  const ids: string[] = [];
  const wanted = new Set(accepted);
  if (!await exists(path)) {
    assertEquals([...wanted], [], "there is no log of these");
    return;
  }
  const random = () => {
    throw new Error("the node's key is gone");
  };
  const mayMake = (await Deno.stat(path)).size === 0;
  if (mayMake) {
    assertEquals([...wanted], []);
    return;
  }
  const key = await loadNodeKey(`${state}/node.key`, { mayMake: false, random });
  for await (const { receipt, envelope } of readReceipts(path)) {
    const { result } = await verifyReceipt(envelope, [key.publicKey]);
    assertEquals([result, receipt.sequence], ["VALID", ids.length + 1]);
    ids.push(receipt.id);
  }
  assertEquals(new Set(ids).size, ids.length, "a receipt is doubled");
  const intents: string[] = [];
  for await (const { text } of readLines(path)) {
    const { intent } = JSON.parse(text);
    if (intent) intents.push(intent.id);
  }
  assertEquals(ids.toSorted(), intents.toSorted(), "not one receipt for each intent");
  for (const id of wanted) assert(ids.includes(id), `the receipt ${id} is lost`);
  const sign = (bytes: Uint8Array<ArrayBuffer>) => seal(bytes, key);
  await using store = await ReceiptStore.open({ folder: state, sign, key: key.publicKey });
  assertEquals(store.unfinished, []);
  assertEquals(await store.latest(ids.length + 1), ids.toReversed(), "the index does not fit");
}

/** What a stopped daemon may leave in these folders; all else is left over. */
const KEPT_RUN = new Set(["lock", "qemu.log", "kvm-trial.json", "trial.log"]);
const KEPT_STATE = new Set([
  ...["lock", "format", "images", "models", "node.key", "receipts.log"],
  ...["kv.db", "kv.db-wal", "kv.db-shm", "policies", "vei.toml", "setup"],
]);

/**
 * Nothing is left over after the stop: no process, no socket or pid file, no half-written file, no
 * temporary one, the tap down. @param own files in the state folder that the test made.
 */
export async function nothingLeft(
  { instance, temporary }: { instance: Instance; temporary: string },
  own: readonly string[] = [],
): Promise<void> {
  for (let tries = 0; tries < 30 && processesOf(instance).length > 0; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assertEquals(processesOf(instance), []);
  const odd = (folder: string, kept: Set<string>) => namesIn(folder).filter((n) => !kept.has(n));
  assertEquals(odd(instance.run, KEPT_RUN), [], instance.run);
  assertEquals(odd(instance.state, new Set([...KEPT_STATE, ...own])), [], instance.state);
  assertEquals(namesIn(temporary), [], "temporary files");
}

/** What was said names the fault and what to do. @param said everything that was printed. */
export function saysWhatToDo(said: string, expected: readonly RegExp[]): void {
  for (const words of expected) assertMatch(said, words);
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}
