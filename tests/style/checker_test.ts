/** The checker stays small and apart: it is what has to be read to believe a proof. */
import { assert, assertEquals } from "@std/assert";
import { sourceFiles, withoutComments } from "./files.ts";

const FOLDER = "src/proof/checker/";
/** What its halves may import beside their own files. */
const ALLOWED = [
  /^src\/base\//,
  /^src\/proof\/checker\/refusal\.ts$/,
];
const TYPES = [/^src\/policy\/(predicate|regex)\.ts$/];

/** @returns the lines that are neither empty nor comment. */
function linesOf(text: string): number {
  return withoutComments(text).split("\n").filter((line) => line.trim() !== "").length;
}

function filesOf(half: string) {
  return sourceFiles().filter(({ path }) =>
    path.startsWith(`${FOLDER}${half}/`) && !path.endsWith("_test.ts")
  );
}

/** @returns each import of the text that the half may not have. */
function strangers(path: string, text: string, half: string): string[] {
  const form =
    /\b(?:import|export)\s+(type\s)?[^;"']*?from\s*["']([^"']+)["']|import\s*\(?\s*["'`]/g;
  return [...withoutComments(text).matchAll(form)].flatMap(([all, type, from]) => {
    const target = from?.startsWith(".")
      ? new URL(from, `file:///${path}`).pathname.slice(1)
      : null;
    if (target?.startsWith(`${FOLDER}${half}/`)) return [];
    if (target && ALLOWED.some((one) => one.test(target))) return [];
    if (target && type && TYPES.some((one) => one.test(target))) return [];
    return [`${path}: ${from ?? all}`];
  });
}

Deno.test("each half imports errors and bytes, types of predicates, and itself", () => {
  for (const half of ["program", "table"]) {
    const files = filesOf(half);
    assert(files.length > 5);
    assertEquals(files.flatMap(({ path, text }) => strangers(path, text, half)), []);
  }
});

Deno.test("the rule tells good imports from bad ones", () => {
  const bad = (text: string) => strangers(`${FOLDER}table/a.ts`, text, "table").length === 1;
  assertEquals(bad(`import { x } from "./b.ts";`), false);
  assertEquals(bad(`import { x } from "../refusal.ts";`), false);
  assertEquals(bad(`import { x } from "../../../base/bytes.ts";`), false);
  assertEquals(bad(`import type { X } from "../../../policy/predicate.ts";`), false);
  assertEquals(bad(`import { type X } from "../../../policy/predicate.ts";`), true);
  assertEquals(bad(`import type { X } from "../../../policy/parse.ts";`), true);
  assertEquals(bad(`import { x } from "../../../automaton/dfa.ts";`), true);
  assertEquals(bad(`import { x } from "../program/term.ts";`), true);
  assertEquals(bad(`import { x } from "@eslint-community/regexpp";`), true);
  assertEquals(bad(`export * from "../../table_certificate.ts";`), true);
  assertEquals(bad(`const x = await import("./b.ts");`), true);
  assertEquals(bad(`import "./b.ts";`), true);
});

/** Lines of code, without comments. */
const MOST_LINES: [what: string, most: number, files: RegExp][] = [
  [
    "what reads, runs, asks and checks",
    900,
    /\/program\/(decode|state|execute|term|hints|conditions|blast|lrat)\.ts$/,
  ],
  ["the program's half", 1210, /\/program\//],
  ["the table's half", 600, /\/table\//],
];

Deno.test("each part is small", () => {
  const all = ["program", "table"].flatMap(filesOf);
  for (const [what, most, files] of MOST_LINES) {
    const lines = all.filter(({ path }) => files.test(path))
      .reduce((sum, { text }) => sum + linesOf(text), 0);
    assert(lines > most / 2 && lines <= most, `${what}: ${lines} lines`);
  }
});
