/** What the loader needs to know of an ELF file (ELF-64, little endian; System V ABI ch. 4-5). */

export interface ElfInfo {
  /** Names of the shared libraries that it is linked against. */
  needed: string[];
  /** Folders where it looks for them first. */
  runpath: string[];
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;
const DT_RPATH = 15n;
const DT_RUNPATH = 29n;

/**
 * @returns the dynamic section's libraries and folders; both empty for a static program.
 * @throws SyntaxError when it is not an x86-64 ELF file, RangeError when it is cut short.
 */
export function readElf(bytes: Uint8Array): ElfInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 64 || view.getUint32(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) {
    throw new SyntaxError("Cannot read: not a 64-bit little-endian ELF file");
  }
  const headers = programHeaders(view);
  const dynamic = headers.find((one) => one.type === PT_DYNAMIC);
  if (dynamic === undefined) return { needed: [], runpath: [] };
  const offsets: Record<"needed" | "runpath", number[]> = { needed: [], runpath: [] };
  let strings = 0;
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
    const tag = view.getBigInt64(at, true);
    const value = Number(view.getBigUint64(at + 8, true));
    if (tag === 0n) break;
    if (tag === DT_NEEDED) offsets.needed.push(value);
    if (tag === DT_RUNPATH || tag === DT_RPATH) offsets.runpath.push(value);
    if (tag === DT_STRTAB) strings = fileOffset(headers, value);
  }
  const text = (offset: number) => cstringAt(bytes, strings + offset);
  return {
    needed: offsets.needed.map(text),
    runpath: offsets.runpath.flatMap((offset) => text(offset).split(":")),
  };
}

interface ProgramHeader {
  type: number;
  offset: number;
  address: number;
  size: number;
}

function programHeaders(view: DataView): ProgramHeader[] {
  const start = Number(view.getBigUint64(32, true));
  const size = view.getUint16(54, true);
  return Array.from({ length: view.getUint16(56, true) }, (_, index) => {
    const at = start + index * size;
    return {
      type: view.getUint32(at, true),
      offset: Number(view.getBigUint64(at + 8, true)),
      address: Number(view.getBigUint64(at + 16, true)),
      size: Number(view.getBigUint64(at + 32, true)),
    };
  });
}

/** The dynamic section holds addresses in memory; the segments say where those are in the file. */
function fileOffset(headers: ProgramHeader[], address: number): number {
  for (const one of headers) {
    if (one.type === PT_LOAD && address >= one.address && address < one.address + one.size) {
      return one.offset + address - one.address;
    }
  }
  throw new RangeError(`address ${address} is in no segment`);
}

function cstringAt(bytes: Uint8Array, start: number): string {
  const end = bytes.indexOf(0, start);
  if (end < 0) throw new RangeError("a string runs beyond the file");
  return new TextDecoder().decode(bytes.subarray(start, end));
}

/**
 * @param bytes a kernel module.
 * @returns the names of the modules that it depends on (the `depends=` entry of `.modinfo`).
 */
export function moduleDepends(bytes: Uint8Array): string[] {
  const mark = new TextEncoder().encode("\0depends=");
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, at + 1)) {
    if (mark.every((byte, index) => bytes[at + index] === byte)) {
      return cstringAt(bytes, at + mark.length).split(",").filter((name) => name !== "");
    }
  }
  return [];
}
