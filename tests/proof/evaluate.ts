/** Terms with numbers in them: what the checker's terms mean, apart from how it turns them to bits. */
import type { Term } from "../../src/proof/checker/program/term.ts";
import { inOrder } from "../../src/proof/checker/program/term.ts";

/** What terms are about. */
export interface Values {
  variable(name: string, width: number): bigint;
  /** The value of an uninterpreted function. */
  apply(name: string, argument: bigint): bigint;
}

/** @returns what gives these terms' values, in their order, for any values of variables. */
export function evaluator(terms: readonly Term[]): (values: Values) => bigint[] {
  const order = [...inOrder(terms)];
  const place = new Map(order.map((term, i) => [term, i]));
  const steps = order.map((term) => ({
    term,
    args: term.args.map((argument) => place.get(argument)!),
  }));
  const roots = terms.map((term) => place.get(term)!);
  return (values) => {
    const found: bigint[] = [];
    for (const { term, args } of steps) {
      found.push(BigInt.asUintN(term.width, valueOf(term, (i) => found[args[i]], values)));
    }
    return roots.map((root) => found[root]);
  };
}

function valueOf(term: Term, arg: (i: number) => bigint, values: Values): bigint {
  const { op, args, width, value, name, factors } = term;
  switch (op) {
    case "const":
      return value;
    case "var":
      return values.variable(name, width);
    case "apply":
      return values.apply(name, arg(0));
    case "sum":
      return factors.reduce((sum, factor, i) => sum + factor * arg(i), value);
    case "and":
      return arg(0) & arg(1);
    case "not":
      return ~arg(0);
    case "extract": // the upper bits go
      return arg(0) >> value;
    case "concat":
      return arg(0) << BigInt(args[1].width) | arg(1);
    case "ite":
      return arg(0) === 1n ? arg(1) : arg(2);
    case "eq":
      return arg(0) === arg(1) ? 1n : 0n;
    case "ult":
      return arg(0) < arg(1) ? 1n : 0n;
  }
}

/**
 * @param rows the table's; without them they are found when they are asked for.
 * @returns the functions of a frame and of what the maps hold; what is beyond them is 0.
 */
export function functionsOf(
  frame: Uint8Array,
  table: Uint8Array,
  config: Uint8Array,
  rows?: ReadonlySet<number>,
): Values["apply"] {
  const byte = (bytes: Uint8Array, at: bigint) =>
    at < BigInt(bytes.length) ? BigInt(bytes[Number(at)]) : 0n;
  return (name, at) => {
    switch (name) {
      case "frame":
        return byte(frame, at);
      case "config":
        return byte(config, at);
      case "table8":
        return byte(table, at);
      case "table16":
        return byte(table, at) | byte(table, at + 1n) << 8n;
      case "row":
        return (rows ??= rowsOf(table)).has(Number(at)) ? 1n : 0n;
      case "rest": // index, state
        return restOf(frame, table, config, Number(at >> 16n), Number(at & 0xffffn));
      default:
        throw new Error(`There is no function ${name}`);
    }
  };
}

/** @returns the first entries of the rows that there are. */
export function rowsOf(table: Uint8Array): ReadonlySet<number> {
  const width = 2 + Math.max(...table.subarray(CLASSES, CLASSES + 256));
  const used = table.subarray(0, CLASSES).findLastIndex((byte) => byte !== 0) / 2;
  const rows = new Set<number>();
  for (let state = 0; state < used; state += width) rows.add(state);
  return rows;
}

/** Offsets in the two maps (`src/bpf/layout.ts`), and the farthest that a walk goes. */
const CLASSES = 131_586, FARTHEST = 1536;

/** @returns 1 if a frame's payload passes, when the walk has come to a state after so many bytes. */
function restOf(
  frame: Uint8Array,
  table: Uint8Array,
  config: Uint8Array,
  index: number,
  state: number,
): bigint {
  const [numbers, entries] = [config, table].map((map) => new DataView(map.buffer));
  const number = (at: number) => numbers.getUint32(at, true);
  const [decidedBelow, acceptFrom, walkBytes, leastSize, mostSize] = [32, 36, 44, 48, 52].map(
    number,
  );
  const synAck = frame[47] === 0x12, anyOptions = config[42] !== 0;
  const start = anyOptions ? 34 + 4 * (frame[46] >> 4) : synAck ? 62 : 54;
  const payload = frame.subarray(start);
  if (payload.length < leastSize || payload.length > mostSize) return 0n;
  for (; state >= decidedBelow && index < payload.length; index++) {
    if (index === walkBytes) {
      if (walkBytes === FARTHEST) return 0n;
      break;
    }
    state = entries.getUint16(2 * (1 + state + table[CLASSES + payload[index]]), true);
  }
  if (state < decidedBelow) return state === 0 ? 0n : 1n;
  return state >= acceptFrom ? 1n : 0n;
}
