/**
 * An interpreter of the instructions that our programs are made of (RFC 9669), so that a program can
 * be followed without a kernel, and so that what we believe of each instruction can be held against
 * what the kernel does. It refuses more than the kernel's verifier: whatever is not there, is not
 * aligned with a region, or is not an instruction of ours, is an error and not a guess.
 */
import { decode, type Placed } from "./decode.ts";
import { Helper, Opcode, Pseudo } from "./isa.ts";

/** What a program works on. Contents are changed in place. */
export interface World {
  /** The frame, as `data` to `data_end` of an XDP context. */
  readonly frame: Uint8Array;
  /** Values of array maps with one entry, by descriptor. */
  readonly values: ReadonlyMap<number, Uint8Array>;
  /** Descriptors of maps that take no loads and stores; `output` is called with each record. */
  readonly rings?: ReadonlyMap<number, (record: Uint8Array) => boolean>;
  /** What the helper ktime_get_ns says. */
  readonly timeNs?: bigint;
}

export interface Run {
  /** r0 at the exit, its low 32 bits. */
  readonly verdict: number;
  /** Instructions taken. */
  readonly steps: number;
}

/** Each region of memory has 2^32 addresses of its own. */
const REGION_BITS = 32n;
const CONTEXT = 1n << REGION_BITS, STACK = 2n << REGION_BITS, FRAME = 3n << REGION_BITS;
const STACK_BYTES = 512;
const MASK = (1n << 64n) - 1n;

/** No program of ours takes as many: the loop is bounded by the payload. */
const MOST_STEPS = 1_000_000;

/** What a program must not do. */
export class Fault extends Error {
  constructor(slot: number, what: string) {
    super(`slot ${slot}: ${what}`);
  }
}

/** @returns what runs a program from its first instruction to an exit; that throws a Fault. */
export function interpreterOf(program: Uint8Array): (world: World) => Run {
  const places: Placed[] = [];
  for (const one of decode(program)) places[one.slot] = one;
  return (world) => new Machine(places, world).run();
}

/** Runs a program once. @throws Fault */
export function interpret(program: Uint8Array, world: World): Run {
  return interpreterOf(program)(world);
}

class Machine {
  private readonly registers: bigint[] = Array(11).fill(0n);
  private readonly known: boolean[] = Array(11).fill(false);
  private readonly regions = new Map<bigint, Uint8Array>();
  /** Regions of map values and ring buffers, by descriptor. */
  private readonly maps = new Map<number, bigint>();
  private readonly ringsByAddress = new Map<bigint, (record: Uint8Array) => boolean>();

  constructor(private readonly places: readonly Placed[], private readonly world: World) {
    this.regions.set(STACK, new Uint8Array(STACK_BYTES));
    this.regions.set(FRAME, world.frame);
    let next = FRAME + (1n << REGION_BITS);
    for (const [fd, value] of world.values) {
      this.maps.set(fd, next);
      this.regions.set(next, value);
      next += 1n << REGION_BITS;
    }
    for (const [fd, output] of world.rings ?? []) {
      this.maps.set(fd, next);
      this.ringsByAddress.set(next, output);
      next += 1n << REGION_BITS;
    }
    this.set(1, CONTEXT);
    this.set(10, STACK + BigInt(STACK_BYTES));
  }

  run(): Run {
    for (let slot = 0, steps = 1; steps <= MOST_STEPS; steps++) {
      const one = this.places[slot];
      if (!one) throw new Fault(slot, "there is no instruction");
      if (one.opcode === Opcode.exit) {
        return { verdict: Number(BigInt.asUintN(32, this.get(0, one))), steps };
      }
      slot = this.step(one);
    }
    throw new Fault(0, `more than ${MOST_STEPS} instructions`);
  }

  private set(register: number, value: bigint): void {
    this.registers[register] = value & MASK;
    this.known[register] = true;
  }

  private get(register: number, at: Placed): bigint {
    if (!this.known[register]) throw new Fault(at.slot, `r${register} was never written`);
    return this.registers[register];
  }

  /** Takes one instruction. @returns the slot of the next. */
  private step(one: Placed): number {
    const { opcode, destination, source, offset, immediate, slot } = one;
    const next = slot + (one.wide === undefined ? 1 : 2);
    switch (opcode) {
      case Opcode.ja:
        return next + offset;
      case Opcode.call:
        this.call(immediate, one);
        return next;
      case Opcode.wideMov:
        this.set(destination, this.mapAddress(one));
        return next;
      case Opcode.bigEndian: {
        if (immediate !== 16) throw new Fault(slot, `a swap of ${immediate} bits`);
        const low = this.get(destination, one) & 0xffffn;
        this.set(destination, (low & 0xffn) << 8n | low >> 8n);
        return next;
      }
      case Opcode.atomic8: {
        const sum = this.load(this.get(destination, one), offset, 8, one) + this.get(source, one);
        this.store(this.get(destination, one), offset, 8, sum & MASK, one);
        return next;
      }
    }
    const width = [4, 2, 1, 8][opcode >> 3 & 3];
    if ((opcode & 0xe7) === 0x61) {
      this.set(destination, this.loadOrContext(this.get(source, one), offset, width, one));
      return next;
    }
    if ((opcode & 0xe7) === 0x63) {
      this.store(this.get(destination, one), offset, width, this.get(source, one), one);
      return next;
    }
    const operand = opcode & 0x08 ? this.get(source, one) : BigInt(immediate) & MASK;
    if ((opcode & 0x07) === 7) {
      const left = opcode >> 4 === 0xb ? 0n : this.get(destination, one);
      this.set(destination, arithmetic(opcode >> 4, left, operand, one));
      return next;
    }
    if ((opcode & 0x07) === 5) {
      return compare(opcode >> 4, this.get(destination, one), operand, one) ? next + offset : next;
    }
    throw new Fault(slot, `opcode 0x${opcode.toString(16)} is none of ours`);
  }

  private mapAddress({ source, immediate, wide, slot }: Placed): bigint {
    const address = this.maps.get(immediate);
    if (address === undefined) throw new Fault(slot, `there is no map ${immediate}`);
    if (source === Pseudo.mapFd) return address;
    if (source !== Pseudo.mapValue || !this.regions.has(address)) {
      throw new Fault(slot, "a wide mov of something else than a map");
    }
    return address + BigInt(wide!);
  }

  /** The context's two fields are 32 bits wide, and loading them gives whole addresses. */
  private loadOrContext(base: bigint, offset: number, width: number, one: Placed): bigint {
    const address = base + BigInt(offset);
    if (address >> REGION_BITS !== CONTEXT >> REGION_BITS) {
      return this.load(base, offset, width, one);
    }
    if (width === 4 && address === CONTEXT) return FRAME;
    if (width === 4 && address === CONTEXT + 4n) return FRAME + BigInt(this.world.frame.length);
    throw new Fault(one.slot, `a load of ${width} bytes from the context`);
  }

  private bytesAt(base: bigint, offset: number, width: number, one: Placed): DataView {
    const address = BigInt.asUintN(64, base + BigInt(offset));
    const region = this.regions.get(address >> REGION_BITS << REGION_BITS);
    const at = Number(address & (1n << REGION_BITS) - 1n);
    if (!region || at + width > region.length) {
      throw new Fault(one.slot, `${width} bytes at 0x${address.toString(16)} are nobody's`);
    }
    return new DataView(region.buffer, region.byteOffset + at, width);
  }

  private load(base: bigint, offset: number, width: number, one: Placed): bigint {
    const view = this.bytesAt(base, offset, width, one);
    if (width === 8) return view.getBigUint64(0, true);
    if (width === 4) return BigInt(view.getUint32(0, true));
    return BigInt(width === 2 ? view.getUint16(0, true) : view.getUint8(0));
  }

  private store(base: bigint, offset: number, width: number, value: bigint, one: Placed): void {
    const view = this.bytesAt(base, offset, width, one);
    if (width === 8) view.setBigUint64(0, value, true);
    else if (width === 4) view.setUint32(0, Number(BigInt.asUintN(32, value)), true);
    else if (width === 2) view.setUint16(0, Number(value & 0xffffn), true);
    else view.setUint8(0, Number(value & 0xffn));
  }

  private call(helper: number, one: Placed): void {
    let result: bigint;
    if (helper === Helper.ktimeGetNs) result = this.world.timeNs ?? 0n;
    else if (helper === Helper.ringbufOutput) {
      const output = this.ringsByAddress.get(this.get(1, one));
      if (!output) throw new Fault(one.slot, "r1 is no ring buffer");
      const length = Number(this.get(3, one));
      const view = this.bytesAt(this.get(2, one), 0, length, one);
      const record = new Uint8Array(view.buffer, view.byteOffset, length).slice();
      result = output(record) ? 0n : MASK - 10n; // -EAGAIN
    } else throw new Fault(one.slot, `helper ${helper} is none of ours`);
    // A call leaves nothing in the registers of its arguments.
    for (let register = 1; register <= 5; register++) this.known[register] = false;
    this.set(0, result);
  }
}

function arithmetic(operation: number, left: bigint, right: bigint, { slot }: Placed): bigint {
  switch (operation) {
    case 0x0:
      return left + right;
    case 0x1:
      return left - right;
    case 0x4:
      return left | right;
    case 0x5:
      return left & right;
    case 0x6:
      return left << (right & 63n);
    case 0x7:
      return left >> (right & 63n);
    case 0xb:
      return right;
  }
  throw new Fault(slot, `arithmetic operation ${operation} is none of ours`);
}

function compare(operation: number, left: bigint, right: bigint, { slot }: Placed): boolean {
  switch (operation) {
    case 0x1:
      return left === right;
    case 0x2:
      return left > right;
    case 0x4:
      return (left & right) !== 0n;
    case 0x5:
      return left !== right;
    case 0xa:
      return left < right;
  }
  throw new Fault(slot, `comparison ${operation} is none of ours`);
}
