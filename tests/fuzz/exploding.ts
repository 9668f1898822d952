/**
 * Expressions that are made to explode. Run by itself with a number and whether case is ignored: one
 * of them is compiled as a policy, and what that took is said as JSON.
 */
import process from "node:process";
import { VeiError } from "../../src/base/errors.ts";
import { compileMonitor } from "../../src/gate/compile_monitor.ts";
import { readPolicy } from "../../src/policy/policy_text.ts";

const many = (count: number, of: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => of(i));

export const EXPLODING: readonly string[] = [
  ...["(a|a)*", "(a|a)*b", "(a*)*b", "(a+)+$", "(a|aa)+$", "(.*)*x", "((a*)*)*b", "(a?){40}a{40}"],
  ...["(.*a){20}", "(.*a){12}b", "(.+a){20}", "(a.*){20}b", "(?:.*){30}", "(.*?,){11}P"],
  ...["(a{0,40}){40}b", "((a{1,30}){1,30}){1,30}", "(((a{9}){9}){9}){9}", "(x{1,99}y{1,99}){99}"],
  ...["a.{60}b", "[ab]*a[ab]{12}c", "[ab]*a[ab]{24}c", "[ab]*a[ab]{400}c", "a.{0,800}b.{0,800}c"],
  ...["(a|b).{30}(a|b).{30}(a|b)", "(?:a.{9}|b.{11}|c.{13}){3}", "(\\b.{1,20}\\b){10}"],
  ...["\\w{400}", "[^]{9000}a", "a[^]{9000}", ".{0,50000}b", "(?:a{1,1000}){1,1000}"],
  ...["\\p{L}{200}", "(\\p{L}\\P{L}){60}", "[\\p{L}\\p{N}]*\\p{Lu}[\\p{L}\\p{N}]{10}\\p{Lu}"],
  ...["\\p{Script=Greek}+\\p{Lu}{40}", "[\\u{0}-\\u{10ffff}]{500}x", "(\\p{Ll}|\\p{Lu}|\\p{L})*!"],
  ...["(ſ|s|S|ß|K|k){60}", "(?:[k-s]|ſ|\\u212a){1,300}é", "[^\\p{L}]{300}", "\\P{Script=Han}{900}"],
  many(400, (i) => `(?:w${i}|x)?`).join("") + "z",
  many(300, (i) => `a.{${i % 17}}b${i}`).join("|"),
  many(2000, (i) => `${i}`).join("|"),
  many(150, () => "(?:").join("") + "a" + many(150, () => ")*").join(""),
  many(26, (i) => `(?:.*${String.fromCharCode(97 + i)})`).join(""),
  many(20, (i) => `${String.fromCharCode(97 + i)}[^]*`).join("|"),
  many(60, (i) => `\\b[a-z]{${i + 1}}${i}\\b`).join("|"),
  `(?:${many(40, (i) => `[^${String.fromCharCode(97 + i % 26)}]{${i}}`).join("|")}){3}!`,
];

/** @returns whether it compiled, or the error's code and message. */
function attempt(source: string, ignoreCase: boolean): string {
  const text = 'name = "x"\nversion = "1"\ndescription = "d"\n[[forbid]]\nid = "a"\n' +
    `regex = '''${source}'''\nignore_case = ${ignoreCase}\n`;
  try {
    compileMonitor(readPolicy(text, "p.toml"), "output");
    return "compiled";
  } catch (error) {
    if (!(error instanceof VeiError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

if (import.meta.main) {
  const before = process.cpuUsage();
  const answer = attempt(EXPLODING[Number(Deno.args[0])], Deno.args[1] === "true");
  const { user, system } = process.cpuUsage(before);
  const status = Deno.readTextFileSync("/proc/self/status");
  const peakKb = Number(/VmHWM:\s+(\d+)/.exec(status)![1]);
  console.log(JSON.stringify({ answer, cpuMs: (user + system) / 1000, peakKb }));
}
