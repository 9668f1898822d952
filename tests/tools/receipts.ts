/** The receipts of a box, as its log holds them. */
import { assertEquals } from "@std/assert";
import type { Receipt } from "../../src/receipt/statement.ts";
import { readReceipts } from "../../src/store/read_receipts.ts";
import type { Box } from "./daemon.ts";

/** @returns every one in full, in their order. */
export async function receiptsOf(box: Box): Promise<Receipt[]> {
  const all: Receipt[] = [];
  for await (const { receipt } of readReceipts(`${box.instance.state}/receipts.log`)) {
    all.push(receipt);
  }
  return all;
}

/** Every receipt verifies, by the command that a user has for it. */
export async function assertAllValid(box: Box): Promise<void> {
  const files: string[] = [];
  for await (const { envelope } of readReceipts(`${box.instance.state}/receipts.log`)) {
    files.push(`${box.temporary}/${files.length}.json`);
    await Deno.writeTextFile(files.at(-1)!, envelope);
  }
  const { code, stdout, stderr } = await box.vei(["verify", ...files]);
  assertEquals(code, 0, stdout + stderr);
}
