/** A policy → what the monitor runs, for one direction. */
import { Exit, VeiError } from "../base/errors.ts";
import { type ByteAutomaton, minimal } from "../automaton/byte_automaton.ts";
import { TooManyStates } from "../automaton/explore.ts";
import { compileRegex } from "../automaton/regex.ts";
import { RegexTooLarge } from "../automaton/regex_nfa.ts";
import { compileGroup, forbidsEverything, growthOf } from "../automaton/rule_group.ts";
import type { RuleRegex } from "../automaton/rules_nfa.ts";
import type { CharsetRule, TaggedBytes } from "../automaton/tagged_bytes.ts";
import { holdBound } from "../automaton/tagged_live.ts";
import { type Budget, MatchesNothing } from "../automaton/tagged_subset.ts";
import { CHARSET_BYTES, type Direction, type Policy } from "../policy/policy.ts";
import { readRegex, type Regex } from "../policy/regex.ts";
import { regexOfWords } from "../policy/words.ts";
import { tablesOf } from "./automaton.ts";
import type { MonitorProgram } from "./monitor.ts";

/** Rules that share one automaton. */
export interface CompiledGroup {
  /** Numbers of its rules, ascending. */
  readonly rules: readonly number[];
  readonly within: number | null;
  readonly automaton: TaggedBytes;
  /** The longest that it holds back, in bytes; Infinity if there is no bound. */
  readonly hold: number;
}

/** The error about rules that cannot be compiled; the ids say which. */
export class RulesError extends VeiError {
  constructor(error: VeiError, readonly rules: readonly string[]) {
    super(error);
  }
}

export interface CompiledDirection {
  readonly program: MonitorProgram;
  readonly groups: readonly CompiledGroup[];
}

/** A rule of the policy with its number. */
interface Forbidden extends RuleRegex {
  readonly within: number | null;
  /** Lists of words never multiply each other's states. */
  readonly words: boolean;
}

/**
 * @returns the program, and what it was made of.
 * @throws RulesError `policy-too-large` naming the rule and its part, `policy-forbids-everything`,
 * `policy-holds-back` where rules hold back more than `max_hold`.
 */
export function compileMonitor(policy: Policy, direction: Direction): CompiledDirection {
  return new Compiler(policy, direction).compile();
}

/** @returns the ids of all rules of a policy, in the order in which they are numbered. */
export function ruleIds({ forbid, require }: Policy): string[] {
  return [
    ...forbid.map(({ id }) => id),
    ...require.map(({ id }) => id),
    "limit:charset",
    "limit:max_bytes",
  ];
}

/**
 * Rules share an automaton as long as it does not grow much beyond what each of them has: where the
 * possibilities multiply, several automata side by side are smaller, and as fast.
 */
function shared(nfaStates: number): Budget {
  const states = 300 + Math.floor(1.5 * nfaStates);
  return { states, entries: 200 * states, threads: 50 * states, steps: 1000 * states };
}

/** Longer words and expressions, in characters, are not even tried together: it seldom works. */
const MOST_MIXED = 2000;

class Compiler {
  private readonly rules: string[];
  private readonly charset: CharsetRule | null;
  private readonly required: { rule: number; automaton: ByteAutomaton }[] = [];
  private readonly json: { rule: number; maxDepth: number }[] = [];
  private readonly output: boolean;

  constructor(private readonly policy: Policy, private readonly direction: Direction) {
    this.rules = ruleIds(policy);
    this.output = direction === "output";
    const { charset } = policy.limits;
    this.charset = charset === "bytes" || !this.output
      ? null
      : { rule: this.rules.indexOf("limit:charset"), has: inCharset(charset) };
  }

  compile(): CompiledDirection {
    const { policy, output } = this;
    if (output) this.readRequired();
    const forbidden = this.forbidden();
    const groups: CompiledGroup[] = [];
    for (const within of new Set(forbidden.map(({ within }) => within))) {
      const some = forbidden.filter((rule) => rule.within === within);
      groups.push(...this.group(some, within));
    }
    groups.push(...this.requiredGroups(groups));
    const { maxBytes } = policy.limits;
    const program: MonitorProgram = {
      automata: groups.map(({ automaton, within }) => tablesOf(automaton, within ?? Infinity)),
      json: this.json,
      maxBytes: !output || maxBytes === null
        ? null
        : { rule: this.rules.indexOf("limit:max_bytes"), bytes: maxBytes },
      rules: this.rules,
    };
    this.checkHold(groups);
    return { program, groups };
  }

  private forbidden(): Forbidden[] {
    return this.policy.forbid.flatMap((rule, number) => {
      if (!rule.appliesTo.includes(this.direction)) return [];
      const { match, ignoreCase, within } = rule;
      const regex = match.kind === "regex"
        ? match.regex
        : regexOfWords(match.words, match.wholeWords, ignoreCase);
      return [{ rule: number, regex, within, words: match.kind === "words" }];
    });
  }

  private readRequired(): void {
    this.policy.require.forEach(({ what }, i) => {
      const rule = this.policy.forbid.length + i;
      if (what.kind === "json") this.json.push({ rule, maxDepth: what.maxDepth });
      else {
        const automaton = this.named([rule], () => minimal(compileRegex(wholeText(what.regex))));
        this.required.push({ rule, automaton });
      }
    });
  }

  /** As few automata as will do. */
  private group(rules: readonly Forbidden[], within: number | null): CompiledGroup[] {
    const words = rules.filter((one) => one.words);
    const mixed = words.length > 0 && words.length < rules.length;
    const long = rules.reduce((sum, { regex }) => sum + regex.source.length, 0) > MOST_MIXED;
    const together = mixed && long ? null : this.together(rules, within);
    if (together !== null) return [together];
    if (mixed) {
      const others = rules.filter((one) => !one.words);
      return [words, others].flatMap((some) => this.group(some, within));
    }
    if (rules.length === 1) {
      // What is required has its own automaton.
      return [this.named([rules[0].rule], () => this.compiled(rules, within, []))];
    }
    // Those that multiply others' states go among themselves, so that the rest stay together.
    const growth = new Map(rules.map((one) => [one, this.named([one.rule], () => growthOf(one))]));
    return this.divided(rules.toSorted((a, b) => growth.get(a)! - growth.get(b)!), within);
  }

  private divided(rules: readonly Forbidden[], within: number | null): CompiledGroup[] {
    const half = rules.length >> 1;
    return [rules.slice(0, half), rules.slice(half)].flatMap((some) => {
      const together = this.together(some, within);
      if (together !== null) return [together];
      return some.length === 1 ? this.group(some, within) : this.divided(some, within);
    });
  }

  /** @returns one automaton of the rules and of what is required; null: it would be too large. */
  private together(rules: readonly Forbidden[], within: number | null): CompiledGroup | null {
    const required = within === null ? this.required : [];
    try {
      return this.compiled(rules, within, required);
    } catch (error) {
      const divisible = rules.length + required.length > 1;
      if (outgrown(error) && divisible) return null;
      throw this.told(error, rules[0].rule);
    }
  }

  /** What no group of forbidden rules watches over. */
  private requiredGroups(groups: readonly CompiledGroup[]): CompiledGroup[] {
    const seen = new Set(groups.flatMap(({ rules }) => rules));
    const left = this.required.filter(({ rule }) => !seen.has(rule));
    if (left.length > 0) {
      try {
        return [this.compiled([], null, left)];
      } catch (error) {
        if (!outgrown(error)) throw this.told(error, left[0].rule);
      }
      return left.map((one) => this.named([one.rule], () => this.compiled([], null, [one])));
    }
    const watched = groups.some(({ within }) => within === null);
    return watched || this.charset === null ? [] : [this.compiled([], null, [])];
  }

  private compiled(
    forbidden: readonly Forbidden[],
    within: number | null,
    required: Compiler["required"],
  ): CompiledGroup {
    // A charset is asked for at every byte, not only before `within`.
    const charset = within === null ? this.charset : null;
    const alone = forbidden.length + required.length <= 1;
    const automaton = compileGroup({ forbidden, charset, required }, alone ? undefined : shared);
    const rules = [...forbidden, ...required].map(({ rule }) => rule);
    if (forbidsEverything(automaton.tagged)) throw this.nothingAllowed(rules);
    return { rules, within, automaton, hold: holdBound(automaton.tagged) };
  }

  /** @throws what `make` throws, said of these rules. */
  private named<T>(rules: readonly number[], make: () => T): T {
    try {
      return make();
    } catch (error) {
      throw this.told(error, rules[0]);
    }
  }

  private told(error: unknown, rule: number): unknown {
    const id = this.rules[rule];
    if (error instanceof MatchesNothing) return this.nothingAllowed([error.rule]);
    if (error instanceof RegexTooLarge) {
      const large = new VeiError({
        code: "policy-too-large",
        message: `Cannot compile rule ${id}: its part ${short(error.part.raw)} at column ` +
          `${error.part.start + 1} multiplies the states`,
        hint: "after what may begin anywhere a count is costly: use a smaller one, or make what " +
          "is counted differ from what comes before",
        exit: Exit.config,
      });
      return new RulesError(large, [id]);
    }
    if (!(error instanceof TooManyStates)) return error;
    const many = new VeiError({
      code: "policy-too-large",
      message: `Cannot compile rule ${id}: its automaton has too many states`,
      hint: "use smaller numbers in its repetitions, or make two rules of it",
      exit: Exit.config,
    });
    return new RulesError(many, [id]);
  }

  private nothingAllowed(rules: readonly number[]): VeiError {
    const ids = rules.map((rule) => this.rules[rule]);
    const subject = ids.length === 1 ? `Rule ${ids[0]} forbids` : `Rules ${ids.join(", ")} forbid`;
    const error = new VeiError({
      code: "policy-forbids-everything",
      message: `${subject} every text`,
      hint: "an expression that can match nothing matches everywhere: ask for at least one " +
        "character of what is forbidden",
      exit: Exit.config,
    });
    return new RulesError(error, ids);
  }

  private checkHold(groups: readonly CompiledGroup[]): void {
    const { maxHold, maxBytes } = this.policy.limits;
    const most = maxHold === "all" ? Infinity : maxHold;
    for (const { hold, within, rules } of groups) {
      const bound = Math.min(hold, within ?? Infinity, (maxBytes ?? Infinity) + 1);
      if (bound <= most) continue;
      const named = rules.filter((rule) => this.holdOf(rule) > most);
      const ids = (named.length > 0 ? named : rules).map((rule) => this.rules[rule]);
      const long = bound === Infinity ? "without bound" : `up to ${bound} bytes`;
      const error = new VeiError({
        code: "policy-holds-back",
        message: `${ids.join(", ")}: may hold back ${long}, and max_hold is ${most} bytes`,
        hint: 'bound its repetitions (`.{0,80}` for `.*`), or set max_bytes and max_hold = "all"',
        exit: Exit.config,
      });
      throw new RulesError(error, ids);
    }
  }

  /** The longest that a rule holds back by itself. */
  private holdOf(number: number): number {
    const rule = this.forbidden().find(({ rule }) => rule === number);
    if (rule === undefined) return 0;
    return this.compiled([rule], rule.within, []).hold;
  }
}

function inCharset(charset: "utf-8" | "ascii" | "printable"): (byte: number) => boolean {
  if (charset === "utf-8") return () => true;
  const ranges = CHARSET_BYTES[charset];
  return (byte) => ranges.some(([first, last]) => first <= byte && byte <= last);
}

/** The expression, which has to match the text from its beginning to its end. */
function wholeText({ source, flags }: Regex): Regex {
  return readRegex(`^(?:${source})$`, `${flags.ignoreCase ? "i" : ""}${flags.dotAll ? "s" : ""}u`);
}

function outgrown(error: unknown): boolean {
  return error instanceof RegexTooLarge || error instanceof TooManyStates;
}

function short(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)} …` : text;
}
