/**
 * The diode's two maps, read as the kernel holds them. To the program a state is any u16, and the
 * next one after a byte is entry `1 + state + class of the byte`. What the program relies on, so
 * that it passes what this walk accepts and nothing else, is checked of every row, reached or not:
 *
 * - all rows have one width, and each next state is a row's first entry; beyond the rows all is 0;
 * - the first two rows are decided, and stay (the program may find out a few bytes later);
 * - a byte whose kind is none of a state's restless ones keeps it there (it may be passed over);
 * - no more bytes are walked than the loop can reach.
 */
import { refuse } from "../refusal.ts";

const CLASSES = 131_586, KINDS = CLASSES + 256, END = KINDS + 256;
const TABLE_BYTES = 132_104, CONFIG_BYTES = 64, MOST_ENTRIES = 65_536, MOST_WALKED = 1536;
/** No size is larger. */
const ANY_SIZE = 0xffff_ffff;

export type Maps = ReturnType<typeof checkMaps>;

/**
 * @returns what the maps say.
 * @throws VeiError `proof-table` when they are not as the program needs them.
 */
export function checkMaps(table: Uint8Array, config: Uint8Array) {
  const need = (holds: boolean, otherwise: string) => {
    if (!holds) throw refuse("table", otherwise);
  };
  need(table.length === TABLE_BYTES && config.length === CONFIG_BYTES, "a map has another size");
  const [entries, numbers] = [table, config].map((map) =>
    new DataView(map.buffer, map.byteOffset, map.length)
  );
  const entry = (index: number) => entries.getUint16(2 * index, true);
  const number = (at: number) => numbers.getUint32(at, true);
  const width = 2 + Math.max(...table.subarray(CLASSES, KINDS));
  const maps = {
    start: numbers.getUint16(28, true),
    classOf: (byte: number) => table[CLASSES + byte],
    next: (state: number, byte: number) => entry(1 + state + table[CLASSES + byte]),
    /** The state that accepts everything; state 0 accepts nothing. */
    accepted: width,
    /** Others accept where the walk ends, from this one on. */
    acceptFrom: Math.max(2 * width, number(36)),
    /** Bytes of a payload that are walked. */
    walkBytes: number(44),
    /** Whether it passes longer ones by then; if not, or if no size may be larger, they are refused. */
    stops: number(44) < number(52) && number(44) !== MOST_WALKED,
    /** Sizes of payloads that are accepted, whatever the walk says. */
    leastSize: number(48),
    mostSize: number(52) < ANY_SIZE ? number(52) : Infinity,
    /** Whether packets without a payload are dropped. */
    dropEmpty: config[43] !== 0,
  };
  let used = CLASSES / 2;
  while (used > 0 && entry(used - 1) === 0) used--;
  const end = Math.ceil(used / width) * width;
  const isState = (state: number) => state % width === 0 && state < end;
  const isEmpty = end <= MOST_ENTRIES && table.subarray(END).every((byte) => byte === 0);
  need(isEmpty, "something stands behind the last row that there can be");
  need(isState(maps.start), "the walk does not begin in a state");
  need(maps.walkBytes <= MOST_WALKED, `more than ${MOST_WALKED} bytes are walked`);
  need(number(32) === 2 * width, "others than two states are decided");
  for (let state = 0; state < end; state += width) {
    for (let byte = 0; byte < 256; byte++) {
      const next = maps.next(state, byte);
      const restless = state > width && (entry(state) & table[KINDS + byte]) !== 0;
      if (next === state || (restless && isState(next))) continue;
      throw refuse("table", `byte ${byte} leads from row ${state / width} to ${next}`);
    }
  }
  return maps;
}
