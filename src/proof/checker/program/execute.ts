/**
 * Runs the program on terms: all paths at once, joined where they meet. What an access may touch is
 * decided here, once: the frame within its length, the maps within their values, the stack where it
 * was written; nothing is written but the stack, counters, and events by the helper for it.
 */
import { refuse } from "../refusal.ts";
import type { Instruction } from "./decode.ts";
import { EVENT_BYTES, HELPER, VALUE_BYTES, VERDICT } from "./layout.ts";
import type { Region, State, Value } from "./state.ts";
import type { Term, Terms } from "./term.ts";

export interface Outcome {
  /** The states in which the frame passes or is dropped, by what r0 says. */
  readonly pass: Term;
  readonly drop: Term;
  /** The states at the cuts that ways lead to, by slot: one for each way in. */
  readonly cuts: ReadonlyMap<number, readonly State[]>;
  /** What has to hold of each access, each with its guard. */
  readonly safe: Term;
}

/** Offsets below it differ by less than 2^63: the sign of a difference tells which is less. */
const FAR = 1n << 40n;
const STACK_BYTES = 512;

export class Executor {
  /** What has to hold of the accesses so far. */
  private safe: Term;

  /**
   * @param length of the frame in bytes, a term of 64 bits.
   * @param cuts slots at which a way ends. Every loop has to go through one.
   */
  constructor(
    private readonly t: Terms,
    private readonly program: readonly (Instruction | null)[],
    private readonly length: Term,
    private readonly cuts: ReadonlySet<number>,
  ) {
    this.safe = t.true;
  }

  /**
   * @param start the slot to begin at, which may be a cut.
   * @throws VeiError `proof-program` for what the diode program does nowhere: another loop, an
   * address where a number has to be, an access to anything else.
   */
  run(start: number, begin: State): Outcome {
    const { t } = this;
    const arriving = new Map<number, State[]>([[start, [begin]]]);
    const ends = new Map<number, State[]>();
    let [pass, drop] = [t.false, t.false];
    for (const slot of this.order(start)) {
      const state = this.join(arriving.get(slot)!);
      const instruction = this.program[slot]!;
      const go = (to: number, next: State) => {
        const places = this.cuts.has(to) ? ends : arriving;
        places.set(to, [...places.get(to) ?? [], next]);
      };
      if (instruction.kind === "exit") {
        const result = this.number(state, 0, slot);
        const is = (verdict: bigint) => t.and(state.guard, t.eq(result, t.constant(verdict, 64)));
        pass = t.or(pass, is(VERDICT.pass));
        drop = t.or(drop, is(VERDICT.drop));
        this.demand(state, t.or(is(VERDICT.pass), is(VERDICT.drop)));
      } else if (instruction.kind === "goto") go(instruction.to, state);
      else if (instruction.kind === "jump") {
        const condition = this.condition(state, instruction, slot);
        go(instruction.to, { ...state, guard: t.and(state.guard, condition) });
        go(slot + 1, { ...state, guard: t.and(state.guard, t.not(condition)) });
      } else go(slot + (instruction.kind === "map" ? 2 : 1), this.step(state, instruction, slot));
    }
    return { pass, drop, cuts: ends, safe: this.safe };
  }

  /** @returns the slots in an order in which all that lead to one come before it. */
  private order(start: number): number[] {
    const done = new Map<number, boolean>();
    const order: number[] = [];
    const stack: [slot: number, left: boolean][] = [[start, false]];
    while (stack.length > 0) {
      const [slot, left] = stack.pop()!;
      if (left) {
        done.set(slot, true);
        order.push(slot);
        continue;
      }
      if (done.get(slot)) continue;
      if (done.get(slot) === false) throw refuse("program", `a loop at slot ${slot}`);
      done.set(slot, false);
      stack.push([slot, true]);
      for (const to of this.following(slot)) {
        if (this.cuts.has(to) || done.get(to)) continue;
        if (done.get(to) === false) throw refuse("program", `a loop at slot ${to}`);
        stack.push([to, false]);
      }
    }
    return order.reverse();
  }

  private following(slot: number): number[] {
    const instruction = this.program[slot];
    if (instruction === null || instruction === undefined) {
      throw refuse("program", `no instruction at slot ${slot}`);
    }
    switch (instruction.kind) {
      case "exit":
        return [];
      case "goto":
        return [instruction.to];
      case "jump":
        return [instruction.to, slot + 1];
      default:
        return [slot + (instruction.kind === "map" ? 2 : 1)];
    }
  }

  /** One state for several ways that meet; what is not known on all of them is not known. */
  private join(states: readonly State[]): State {
    const { t } = this;
    return states.reduce((one, other) => {
      const pick = (a: Term, b: Term) => t.ite(other.guard, b, a);
      const registers = one.registers.map((a, i) => {
        const b = other.registers[i];
        if (a === undefined || b === undefined || a.region !== b.region) return undefined;
        return { region: a.region, term: pick(a.term, b.term) };
      });
      const stack = new Map<number, Term>();
      for (const at of [...one.stack.keys(), ...other.stack.keys()]) {
        stack.set(at, pick(this.stackByte(one, at), this.stackByte(other, at)));
      }
      return { guard: t.or(one.guard, other.guard), registers, stack };
    });
  }

  private demand(state: State, what: Term): void {
    this.safe = this.t.and(this.safe, this.t.implies(state.guard, what));
  }

  private value({ registers }: State, register: number, slot: number): Value {
    const value = registers[register];
    if (value === undefined) throw refuse("program", `slot ${slot} reads r${register}, not known`);
    return value;
  }

  private number(state: State, register: number, slot: number): Term {
    const { region, term } = this.value(state, register, slot);
    if (region === "number") return term;
    throw refuse("program", `slot ${slot} takes r${register} for a number, which is an address`);
  }

  private operand(state: State, operand: number | bigint, slot: number): Value {
    if (typeof operand === "number") return this.value(state, operand, slot);
    return { region: "number", term: this.t.constant(operand, 64) };
  }

  private condition(
    state: State,
    { operation, register, operand }: Extract<Instruction, { kind: "jump" }>,
    slot: number,
  ): Term {
    const { t } = this;
    const left = this.value(state, register, slot), right = this.operand(state, operand, slot);
    const [a, b] = [left.term, right.term];
    if (left.region === "frame" && right.region === "frame") {
      return this.frameCondition(state, operation, a, b);
    }
    if (left.region !== "number" || right.region !== "number") {
      throw refuse("program", `slot ${slot} compares ${left.region} and ${right.region}`);
    }
    switch (operation) {
      case "jeq":
        return t.eq(a, b);
      case "jne":
        return t.not(t.eq(a, b));
      case "jgt":
        return t.ult(b, a);
      case "jlt":
        return t.ult(a, b);
      default:
        return t.not(t.eq(t.and(a, b), t.constant(0, 64)));
    }
  }

  /**
   * Addresses in the frame compare as their offsets do, which are far below 2^63: by the sign of
   * their difference.
   */
  private frameCondition(state: State, operation: string, a: Term, b: Term): Term {
    const { t } = this;
    for (const offset of [a, b]) this.demand(state, t.ult(offset, t.constant(FAR, 64)));
    const isNegative = (term: Term) => t.extract(term, 63, 1);
    if (operation === "jgt") return isNegative(t.sub(b, a));
    if (operation === "jlt") return isNegative(t.sub(a, b));
    throw refuse("program", `two addresses are compared by ${operation}`);
  }

  /** @returns the state after an instruction that leads to the next one. */
  private step(state: State, instruction: Instruction, slot: number): State {
    const { t } = this;
    const put = (register: number, value: Value): State => ({
      ...state,
      registers: state.registers.map((old, i) => i === register ? value : old),
    });
    switch (instruction.kind) {
      case "alu":
        return put(instruction.register, this.alu(state, instruction, slot));
      case "swap16": {
        const term = this.number(state, instruction.register, slot);
        const swapped = t.concat(t.extract(term, 0, 8), t.extract(term, 8, 8));
        return put(instruction.register, { region: "number", term: t.zext(swapped, 64) });
      }
      case "map": {
        const { map, offset } = instruction;
        const term = t.constant(offset ?? 0, 64);
        if (offset === null && map === "events") {
          return put(instruction.register, { region: "events map", term });
        }
        if (offset === null || map === "events") {
          throw refuse("program", `slot ${slot} names a map`);
        }
        return put(instruction.register, { region: map, term });
      }
      case "load":
        return put(instruction.register, this.load(state, instruction, slot));
      case "store": {
        const { width, register, address, offset } = instruction;
        const at = this.stackOffset(state, address, offset, width, slot);
        const term = this.number(state, register, slot);
        const stack = new Map(state.stack);
        for (let i = 0; i < width; i++) stack.set(at + i, t.extract(term, 8 * i, 8));
        return { ...state, stack };
      }
      case "count": {
        const { region, term } = this.value(state, instruction.address, slot);
        this.number(state, instruction.register, slot);
        if (region !== "counters") throw refuse("program", `slot ${slot} adds to ${region}`);
        const at = t.add(term, t.constant(instruction.offset, 64));
        this.within(state, at, 8, t.constant(VALUE_BYTES.counters, 64));
        this.demand(state, t.eq(t.extract(at, 0, 3), t.constant(0, 3)));
        return state;
      }
      case "call":
        return this.call(state, instruction.helper, slot);
      default:
        throw refuse("program", `slot ${slot} is out of place`);
    }
  }

  private alu(
    state: State,
    { operation, register, operand }: Extract<Instruction, { kind: "alu" }>,
    slot: number,
  ): Value {
    const { t } = this;
    const right = this.operand(state, operand, slot);
    if (operation === "mov") return right;
    const left = this.value(state, register, slot);
    const [a, b] = [left.term, right.term];
    const numbers = left.region === "number" && right.region === "number";
    const moved = (region: Region) => {
      if (region !== "events map" && region !== "context") return region;
      throw refuse("program", `slot ${slot} computes with ${region}`);
    };
    if (operation === "add") {
      if (right.region === "number") return { region: moved(left.region), term: t.add(a, b) };
      if (left.region === "number") return { region: moved(right.region), term: t.add(b, a) };
    }
    if (operation === "sub" && left.region === "frame" && right.region === "frame") {
      return { region: "number", term: t.sub(a, b) };
    }
    if (!numbers) throw refuse("program", `slot ${slot} computes with addresses`);
    const term = {
      sub: () => t.sub(a, b),
      and: () => t.and(a, b),
      or: () => t.or(a, b),
      shl: () => t.shl(a, Number(operand)),
      shr: () => t.shr(a, Number(operand)),
    }[operation as "sub" | "and" | "or" | "shl" | "shr"]();
    return { region: "number", term };
  }

  /** Demands that `bytes` bytes at the offset are within `size`, which is below 2^33. */
  private within(state: State, offset: Term, bytes: number, size: Term): void {
    const { t } = this;
    const behind = t.sub(size, t.add(offset, t.constant(bytes, 64)));
    this.demand(state, t.ult(offset, t.constant(FAR, 64)));
    this.demand(state, t.not(t.extract(behind, 63, 1)));
  }

  private load(
    state: State,
    { width, address, offset }: Extract<Instruction, { kind: "load" | "store" }>,
    slot: number,
  ): Value {
    const { t } = this;
    const { region, term } = this.value(state, address, slot);
    const at = t.add(term, t.constant(offset, 64));
    const number = (bits: Term): Value => ({ region: "number", term: t.zext(bits, 64) });
    /** The bytes, least significant first, as one number. */
    const littleEndian = (byte: (i: number) => Term) =>
      number([...Array(width).keys()].map(byte).reduce((low, high) => t.concat(high, low)));
    const after = (i: number) => t.add(at, t.constant(i, 64));
    switch (region) {
      case "context": {
        if (at.op !== "const" || width !== 4) break;
        if (at.value === 0n) return { region: "frame", term: t.constant(0, 64) };
        if (at.value === 4n) return { region: "frame", term: this.length };
        break;
      }
      case "frame":
        this.within(state, at, width, this.length);
        return littleEndian((i) => t.apply("frame", after(i), 8));
      case "table":
        this.within(state, at, width, t.constant(VALUE_BYTES.table, 64));
        if (width === 1) return number(t.apply("table8", at, 8));
        if (width === 2) return number(t.apply("table16", at, 16));
        break;
      case "config": {
        const size = VALUE_BYTES.config;
        this.within(state, at, width, t.constant(size, 64));
        if (at.op === "const") return littleEndian((i) => t.apply("config", after(i), 8));
        // One of the constant offsets that are in range.
        return littleEndian((i) => {
          let byte = t.constant(0, 8);
          for (let k = 0; k + width <= size; k++) {
            const here = t.apply("config", t.constant(k + i, 64), 8);
            byte = t.ite(t.eq(at, t.constant(k, 64)), here, byte);
          }
          return byte;
        });
      }
      case "stack": {
        const from = this.stackOffset(state, address, offset, width, slot);
        return littleEndian((i) => this.stackByte(state, from + i));
      }
    }
    throw refuse("program", `slot ${slot} loads ${width} bytes from ${region}`);
  }

  /** What was never written is anything. */
  private stackByte({ stack }: State, at: number): Term {
    return stack.get(at) ?? this.t.variable(`stack ${at}`, 8);
  }

  /** @returns the constant offset from the stack's top, for an access inside. */
  private stackOffset(
    state: State,
    address: number,
    offset: number,
    width: number,
    slot: number,
  ): number {
    const { region, term } = this.value(state, address, slot);
    const at = Number(BigInt.asIntN(64, term.value)) + offset;
    const known = region === "stack" && term.op === "const";
    if (known && at >= -STACK_BYTES && at + width <= 0) return at;
    throw refuse("program", `slot ${slot} accesses ${region}, where only the stack is accessed`);
  }

  /** The helpers' contracts: see the list of what is trusted. */
  private call(state: State, helper: number, slot: number): State {
    const { t } = this;
    if (helper === HELPER.report) {
      const map = this.value(state, 1, slot).region;
      this.stackOffset(state, 2, 0, EVENT_BYTES, slot);
      const is = (register: number, value: number) =>
        this.number(state, register, slot) === t.constant(value, 64);
      if (map !== "events map" || !is(3, EVENT_BYTES) || !is(4, 0)) {
        throw refuse("program", `slot ${slot} reports something else than an event`);
      }
    } else if (helper !== HELPER.now) {
      throw refuse("program", `slot ${slot} calls the kernel's function ${helper}`);
    }
    const result: Value = { region: "number", term: t.variable(`result of slot ${slot}`, 64) };
    return {
      ...state,
      registers: state.registers.map((old, i) => i === 0 ? result : i <= 5 ? undefined : old),
    };
  }
}
