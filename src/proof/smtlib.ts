/**
 * The verification conditions as other people's solvers read them: SMT-LIB 2 (Barrett et al., "The
 * SMT-LIB Standard", version 2.6), logic QF_UFBV. The words of the terms, not the checker's bits: so
 * that what a solver says of it says something of the checker's own way to bits, too.
 */
import type { Condition } from "./checker/program/conditions.ts";
import { inOrder, type Term } from "./checker/program/term.ts";

/** @returns a text to which the answer is `unsat` if, and only if, the condition holds. */
export function smtlibOf({ name, hypotheses, claim }: Condition): string {
  const roots = [...hypotheses, claim];
  const order = inOrder(roots);
  const uses = new Map<Term, number>();
  const use = (term: Term) => uses.set(term, (uses.get(term) ?? 0) + 1);
  roots.forEach(use);
  for (const { args } of order) args.forEach(use);

  const declared = new Map<string, string>();
  const defined: string[] = [];
  const written = new Map<Term, string>();
  for (const term of order) {
    if (term.op === "var") declared.set(variable(term), `() ${sort(term.width)}`);
    if (term.op === "apply") {
      declared.set(term.name, `(${sort(term.args[0].width)}) ${sort(term.width)}`);
    }
    const text = write(term, term.args.map((argument) => written.get(argument)!));
    // What is used once stands in its place.
    const isShared = uses.get(term)! > 1 && term.args.length > 0;
    if (isShared) defined.push(`(define-fun t${term.id} () ${sort(term.width)} ${text})\n`);
    written.set(term, isShared ? `t${term.id}` : text);
  }
  return [
    `; ${name}: unsat if, and only if, it holds\n`,
    "(set-logic QF_UFBV)\n",
    ...[...declared].map(([symbol, type]) => `(declare-fun ${symbol} ${type})\n`),
    ...defined,
    ...hypotheses.map((term) => `(assert (= ${written.get(term)} #b1))\n`),
    `(assert (= ${written.get(claim)} #b0))\n`,
    "(check-sat)\n",
  ].join("");
}

function write(term: Term, args: readonly string[]): string {
  const { op, width, value, name, factors } = term;
  switch (op) {
    case "const":
      return constant(value, width);
    case "var":
      return variable(term);
    case "apply":
      return `(${name} ${args[0]})`;
    case "sum":
      return args.map((argument, i) => product(factors[i], argument, width))
        .reduce((sum, part) => `(bvadd ${sum} ${part})`, constant(value, width));
    case "extract":
      return `((_ extract ${Number(value) + width - 1} ${value}) ${args[0]})`;
    case "ite":
      return `(ite (= ${args[0]} #b1) ${args[1]} ${args[2]})`;
    case "ult":
      return `(ite (bvult ${args[0]} ${args[1]}) #b1 #b0)`;
    default:
      return `(${FUNCTIONS[op]} ${args.join(" ")})`;
  }
}

const FUNCTIONS = { and: "bvand", not: "bvnot", concat: "concat", eq: "bvcomp" };

function product(factor: bigint, argument: string, width: number): string {
  return factor === 1n
    ? argument
    : `(bvmul ${constant(BigInt.asUintN(width, factor), width)} ${argument})`;
}

function constant(value: bigint, width: number): string {
  return width % 4 === 0
    ? `#x${value.toString(16).padStart(width / 4, "0")}`
    : `#b${value.toString(2).padStart(width, "0")}`;
}

function sort(width: number): string {
  return `(_ BitVec ${width})`;
}

/** There is a function `frame` and a variable. */
function variable({ name }: Term): string {
  return `|the ${name}|`;
}
