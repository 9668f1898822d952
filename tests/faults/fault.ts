/** Runs a row of the fault matrix: the fault, then the checks that each row ends with. */
import { openLibraries } from "../../ffi/native.ts";
import { Box } from "../tools/daemon.ts";
import { PlainPlace } from "../tools/plain_daemon.ts";
import { gateShut, nothingLeft, receiptsWhole, saysWhatToDo } from "./checks.ts";
import { type FaultName, ROWS } from "./matrix.ts";

openLibraries();

/** What a row's test is given. */
export interface World {
  /** A place for `vei serve` with a virtual machine. */
  box(options?: Parameters<typeof Box.make>[0]): Promise<Box>;
  /** A place for `vei serve --model …`, which has no gate. */
  plain(): PlainPlace;
  /** Disposes of it after the checks. */
  use<T extends AsyncDisposable>(owned: T): T;
  /** Something that was said outside of these places, for the check of messages. */
  heard(text: string): void;
  /** Names a file in a state folder that is the test's own. */
  own(name: string): void;
}

/**
 * Registers the test of a row. What `body` made is stopped as an operator would stop it, and then:
 * the gate was never open and is not without us; receipts are whole; nothing is left over; the
 * message that the row promises was given.
 */
export function fault(name: FaultName, body: (world: World) => Promise<void>): void {
  Deno.test(name, async () => {
    await using stack = new AsyncDisposableStack();
    const boxes: Box[] = [];
    const plains: PlainPlace[] = [];
    let said = "";
    const own: string[] = [];
    await body({
      async box(options) {
        const box = stack.use(await Box.make(options));
        boxes.push(box);
        return box;
      },
      plain() {
        const plain = stack.use(new PlainPlace());
        plains.push(plain);
        return plain;
      },
      use: (owned) => stack.use(owned),
      heard: (text) => said += `\n${text}`,
      own: (name) => own.push(name),
    });
    for (const place of [...boxes, ...plains]) await place.stop();
    for (const box of boxes) gateShut(box);
    for (const place of [...boxes, ...plains]) {
      await receiptsWhole(place.instance.state, place.accepted);
      await nothingLeft(place, own);
      said += `\n${place.said}`;
    }
    saysWhatToDo(said, ROWS[name].says);
  });
}

/** A seed for random moments: VEI_SEED, or a new one; printed, so that a run can be repeated. */
export function seedOf(what: string): number {
  const given = Deno.env.get("VEI_SEED");
  const seed = given === undefined ? crypto.getRandomValues(new Uint32Array(1))[0] : Number(given);
  console.log(`${what}: VEI_SEED=${seed}`);
  return seed;
}

/** How many random moments: VEI_KILLS, by default 20. */
export const MOMENTS = Number(Deno.env.get("VEI_KILLS") ?? 20);

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
