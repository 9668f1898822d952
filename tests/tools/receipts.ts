/** Every receipt of a box, in full. */
import type { Receipt } from "../../src/receipt/statement.ts";
import { readReceipts } from "../../src/store/read_receipts.ts";
import type { Box } from "./daemon.ts";

export async function receiptsOf(box: Box): Promise<Receipt[]> {
  const all: Receipt[] = [];
  for await (const { receipt } of readReceipts(`${box.instance.state}/receipts.log`)) {
    all.push(receipt);
  }
  return all;
}
