/**
 * Runs the program on terms: all paths at once, joined where they meet. What an access may touch is
 * decided here, once: the frame within its length, the maps within their values, the stack where it
 * was written; nothing is written but the stack, counters, and events by the helper for it.
 */
import { refuse } from "../refusal.ts";
import type { AluOperation, Instruction, JumpOperation } from "./decode.ts";
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

/** Offsets below it, and sizes, differ by less than 2^63: a difference's sign tells which is less. */
const FAR = 1n << 40n;
const STACK_BYTES = 512;
/** What no number may be added to. */
const FIXED: readonly Region[] = ["context", "events"];

/** What an operation makes of two numbers of 64 bits (RFC 9669, sections 4.1 and 4.3). */
const COMPUTE: Record<Operation, (t: Terms, a: Term, b: Term) => Term> = {
  add: (t, a, b) => t.add(a, b),
  sub: (t, a, b) => t.sub(a, b),
  and: (t, a, b) => t.and(a, b),
  or: (t, a, b) => t.or(a, b),
  // By constants alone, says the decoder, of less than 64.
  shl: (t, a, b) => t.shl(a, Number(b.value)),
  shr: (t, a, b) => t.shr(a, Number(b.value)),
  jeq: (t, a, b) => t.eq(a, b),
  jne: (t, a, b) => t.not(t.eq(a, b)),
  jgt: (t, a, b) => t.ult(b, a),
  jlt: (t, a, b) => t.ult(a, b),
  jset: (t, a, b) => t.not(t.eq(t.and(a, b), t.constant(0, 64))),
};

type Operation = Exclude<AluOperation, "mov"> | JumpOperation;
type Of<Kind extends Instruction["kind"]> = Extract<Instruction, { kind: Kind }>;

export class Executor {
  /** What has to hold of the accesses so far. */
  private safe: Term;
  /** The instruction's slot, and what is known before it. */
  private slot = 0;
  private state!: State;

  /**
   * @param length of the frame in bytes, a term of 64 bits that is below 2^33.
   * @param cuts slots at which a way ends; other than to them, jumps go forward.
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
    const arriving = new Map([[start, [begin]]]);
    const cuts = new Map<number, State[]>();
    let [pass, drop] = [t.false, t.false];
    while (arriving.size > 0) {
      // All jumps go forward: whatever leads to the first of these slots has arrived there.
      const slot = this.slot = Math.min(...arriving.keys());
      const state = this.state = this.join(arriving.get(slot)!);
      arriving.delete(slot);
      const go = (to: number, next: State) => {
        if (to <= slot && !this.cuts.has(to)) throw this.wrong(`jumps back to slot ${to}`);
        const places = this.cuts.has(to) ? cuts : arriving;
        places.set(to, [...places.get(to) ?? [], next]);
      };
      const instruction = this.program[slot];
      if (!instruction) throw this.wrong("has no instruction");
      switch (instruction.kind) {
        case "exit": {
          const is = (verdict: bigint) => t.eq(this.number(0), this.constant(verdict));
          const [passes, drops] = [is(VERDICT.pass), is(VERDICT.drop)];
          this.demand(t.or(passes, drops));
          pass = t.or(pass, t.and(state.guard, passes));
          drop = t.or(drop, t.and(state.guard, drops));
          break;
        }
        case "goto":
          go(instruction.to, state);
          break;
        case "jump": {
          const condition = this.condition(instruction);
          go(instruction.to, { ...state, guard: t.and(state.guard, condition) });
          go(slot + 1, { ...state, guard: t.and(state.guard, t.not(condition)) });
          break;
        }
        default:
          go(slot + (instruction.kind === "map" ? 2 : 1), this.step(instruction));
      }
    }
    return { pass, drop, cuts, safe: this.safe };
  }

  private wrong(what: string): Error {
    return refuse("program", `slot ${this.slot} ${what}`);
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
      for (const [at, a] of one.stack) {
        const b = other.stack.get(at);
        if (b !== undefined) stack.set(at, pick(a, b));
      }
      return { guard: t.or(one.guard, other.guard), registers, stack };
    });
  }

  private demand(what: Term): void {
    this.safe = this.t.and(this.safe, this.t.implies(this.state.guard, what));
  }

  private constant(value: number | bigint): Term {
    return this.t.constant(value, 64);
  }

  private value(register: number): Value {
    const value = this.state.registers[register];
    if (value === undefined) throw this.wrong(`reads r${register}, of which nothing is known`);
    return value;
  }

  private number(register: number): Term {
    const { region, term } = this.value(register);
    if (region !== "number") throw this.wrong(`takes r${register} for a number`);
    return term;
  }

  private operand(operand: number | bigint): Value {
    if (typeof operand === "number") return this.value(operand);
    return { region: "number", term: this.constant(operand) };
  }

  /** Numbers compare, and addresses in the frame as their offsets do. */
  private condition({ operation, register, operand }: Of<"jump">): Term {
    const left = this.value(register), right = this.operand(operand);
    const [a, b] = [left.term, right.term];
    const both = (region: Region) => left.region === region && right.region === region;
    if (both("number")) return COMPUTE[operation](this.t, a, b);
    if (!both("frame") || (operation !== "jlt" && operation !== "jgt")) {
      throw this.wrong(`compares ${left.region} and ${right.region} by ${operation}`);
    }
    for (const offset of [a, b]) this.demand(this.t.ult(offset, this.constant(FAR)));
    return operation === "jlt" ? this.isLess(a, b) : this.isLess(b, a);
  }

  /** Whether the one is less, of two numbers below 2^63: by the sign of their difference. */
  private isLess(one: Term, other: Term): Term {
    return this.t.extract(this.t.sub(one, other), 63, 1);
  }

  /** Demands that so many bytes at the offset are the region's. */
  private within(region: "frame" | keyof typeof VALUE_BYTES, offset: Term, bytes: number): void {
    const { t } = this;
    const size = region === "frame" ? this.length : this.constant(VALUE_BYTES[region]);
    this.demand(t.ult(offset, this.constant(FAR)));
    this.demand(t.not(this.isLess(size, t.add(offset, this.constant(bytes)))));
  }

  /** @returns the state after an instruction that leads to the next one. */
  private step(instruction: Exclude<Instruction, Of<"exit" | "goto" | "jump">>): State {
    const { t, state } = this;
    const set = (register: number, value: Value): State => ({
      ...state,
      registers: state.registers.with(register, value),
    });
    switch (instruction.kind) {
      case "alu":
        return set(instruction.register, this.alu(instruction));
      case "swap16": {
        const term = this.number(instruction.register);
        const bytes = [t.extract(term, 8, 8), t.extract(term, 0, 8)];
        return set(instruction.register, this.littleEndian(bytes));
      }
      case "map": {
        const { register, map, offset } = instruction;
        return set(register, { region: map, term: this.constant(offset) });
      }
      case "load":
        return set(instruction.register, this.load(instruction));
      case "store": {
        const { width, register, address, offset } = instruction;
        const at = this.stackOffset(address, offset, width);
        const term = this.number(register);
        const stack = new Map(state.stack);
        for (let i = 0; i < width; i++) stack.set(at + i, t.extract(term, 8 * i, 8));
        return { ...state, stack };
      }
      case "count": {
        const { region, term } = this.value(instruction.address);
        this.number(instruction.register);
        if (region !== "counters") throw this.wrong(`adds to ${region}`);
        const at = t.add(term, this.constant(instruction.offset));
        this.within(region, at, 8);
        this.demand(t.eq(t.extract(at, 0, 3), t.constant(0, 3)));
        return state;
      }
      case "call":
        return this.call(instruction.helper);
    }
  }

  /** Numbers are computed; besides, a number is added to an address, frame offsets subtracted. */
  private alu({ operation, register, operand }: Of<"alu">): Value {
    const right = this.operand(operand);
    if (operation === "mov") return right;
    const left = this.value(register);
    const term = COMPUTE[operation](this.t, left.term, right.term);
    const both = (region: Region) => left.region === region && right.region === region;
    if (both("number") || (operation === "sub" && both("frame"))) return { region: "number", term };
    const [address, number] = left.region === "number" ? [right, left] : [left, right];
    if (operation !== "add" || number.region !== "number" || FIXED.includes(address.region)) {
      throw this.wrong(`computes with ${left.region} and ${right.region}`);
    }
    return { region: address.region, term };
  }

  /** @returns the number of these bytes, the least significant first. */
  private littleEndian(bytes: readonly Term[]): Value {
    const bits = bytes.reduce((low, high) => this.t.concat(high, low));
    return { region: "number", term: this.t.zext(bits, 64) };
  }

  private load({ width, address, offset }: Of<"load" | "store">): Value {
    const { t, state } = this;
    const { region, term } = this.value(address);
    const at = t.add(term, this.constant(offset));
    const bytes = [...Array(width).keys()];
    switch (region) {
      case "context": // struct xdp_md: `data` and `data_end`
        if (width === 4 && at === this.constant(0)) return { region: "frame", term: at };
        if (width === 4 && at === this.constant(4)) return { region: "frame", term: this.length };
        break;
      case "frame":
      case "config":
        this.within(region, at, width);
        return this.littleEndian(
          bytes.map((i) => t.apply(region, t.add(at, this.constant(i)), 8)),
        );
      case "table":
        this.within(region, at, width);
        if (width < 4) return this.littleEndian([t.apply(`table${8 * width}`, at, 8 * width)]);
        break;
      case "stack": {
        const from = this.stackOffset(address, offset, width);
        const known = bytes.flatMap((i) => state.stack.get(from + i) ?? []);
        if (known.length === width) return this.littleEndian(known);
        break;
      }
    }
    throw this.wrong(`loads ${width} bytes from ${region}`);
  }

  /** @returns the constant offset from the stack's top, for an access inside. */
  private stackOffset(address: number, offset: number, bytes: number): number {
    const { region, term } = this.value(address);
    const at = Number(BigInt.asIntN(64, term.value)) + offset;
    const known = region === "stack" && term.op === "const";
    if (known && at >= -STACK_BYTES && at + bytes <= 0) return at;
    throw this.wrong(`accesses ${region}, where only the stack is accessed`);
  }

  /** The helpers' contracts: see the list of what is trusted. */
  private call(helper: number): State {
    if (helper === HELPER.report) {
      this.stackOffset(2, 0, EVENT_BYTES);
      const isMap = this.value(1).region === "events";
      const is = (register: number, value: number) =>
        this.number(register) === this.constant(value);
      if (!isMap || !is(3, EVENT_BYTES) || !is(4, 0)) throw this.wrong("reports no event");
    } else if (helper !== HELPER.now) throw this.wrong(`calls the kernel's function ${helper}`);
    const term = this.t.variable(`result of slot ${this.slot}`, 64);
    const result: Value = { region: "number", term };
    const registers = this.state.registers.map((old, i) => i > 5 ? old : undefined);
    return { ...this.state, registers: registers.with(0, result) };
  }
}
