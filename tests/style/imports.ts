/** Who may import whom, and who may name what. */
import { type SourceFile, withoutComments } from "./files.ts";

/** The parts of the tree; the first prefix that fits names a file's part. */
const PARTS = [
  "src/proof/checker",
  "src/base",
  "src/host",
  "src/policy",
  "src/automaton",
  "src/lens",
  "src/bpf",
  "src/proof",
  "src/gate",
  "src/model",
  "src/receipt",
  "src/store",
  "src/api",
  "src/install",
  "src/cli",
  "ffi",
  "diodes",
  "enclave",
  "web",
] as const;
type Part = typeof PARTS[number];

const ALL: readonly Part[] = PARTS;
const BELOW_API: readonly Part[] = ALL.slice(0, ALL.indexOf("src/api"));

const MAY_IMPORT: Record<Part, readonly Part[]> = {
  "src/base": [],
  "src/host": ["src/base"],
  "src/policy": ["src/base"],
  "src/automaton": ["src/base", "src/policy"],
  "src/lens": ["src/base", "src/automaton"],
  "src/bpf": ["src/base", "src/automaton"],
  "src/proof": ["src/base", "src/policy", "src/automaton", "src/bpf", "src/proof/checker"],
  "src/proof/checker": ["src/base", "src/policy"],
  "src/gate": ["src/base", "src/policy", "src/automaton", "src/lens"],
  "src/model": ["src/base", "src/lens"],
  "src/receipt": ["src/base", "src/gate"],
  "src/store": ["src/base", "src/receipt"],
  "src/api": BELOW_API,
  "src/install": ["src/base", "src/host"],
  "src/cli": ALL,
  "ffi": ["src/base"],
  "diodes": [
    "src/base",
    "src/policy",
    "src/automaton",
    "src/bpf",
    "src/proof",
    "src/proof/checker",
    "ffi",
  ],
  "enclave": ["src/base", "src/host", "ffi"],
  "web": ["src/base", "src/receipt"],
};

/** Names that belong to one place: what, and the files that may say it. */
const RESERVED: [name: RegExp, owner: RegExp][] = [
  [/\bDeno\s*\.\s*(dlopen|UnsafePointer\w*|UnsafeCallback|UnsafeFnPointer)\b/, /^ffi\//],
  [/\bDeno\s*\.\s*Command\b/, /^src\/host\/run\.ts$/],
  [/\bDeno\s*\.\s*openKv\b/, /^src\/store\//],
  [/\bDeno\s*\.\s*exit\b/, /^(src\/cli\/|main\.ts$)/],
  [/\bconsole\s*\.\s*\w+/, /^(src\/cli\/|main\.ts$)/],
];

function partOf(path: string): Part | null {
  return PARTS.find((part) => path.startsWith(`${part}/`)) ?? null;
}

/** @returns the path that a relative specifier means, from the top of the tree. */
function resolve(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

interface Import {
  specifier: string;
  typeOnly: boolean;
}

/** @returns the imports and re-exports, static and dynamic, of comment-free TypeScript. */
function importsOf(code: string): Import[] {
  const found: Import[] = [];
  const form =
    /\b(import|export)\s+(type\s)?(?:[\w$*{},\s]*?\sfrom\s*|[\w$*{},\s]*?}\s*from\s*)?["']([^"']+)["']|\bimport\s*\(\s*["'`]([^"'`]+)["'`]/g;
  for (const [, keyword, type, fixed, dynamic] of code.matchAll(form)) {
    // `export "x"` is no TypeScript: such a text is a string's inside.
    if (keyword === undefined && dynamic === undefined) continue;
    found.push({ specifier: fixed ?? dynamic, typeOnly: type !== undefined });
  }
  return found;
}

function faultOf(path: string, { specifier, typeOnly }: Import): string | null {
  if (!specifier.startsWith(".")) {
    const absolute = specifier.startsWith("/") || /^(file|https?):/.test(specifier);
    return absolute ? "an import is relative, or a name from deno.json" : null;
  }
  const target = resolve(path, specifier);
  if (path === "main.ts") {
    return target.startsWith("src/cli/") ? null : "main.ts imports src/cli only";
  }
  const [from, to] = [partOf(path), partOf(target)];
  if (from === null) return "this file belongs to no part of the tree";
  if (target.startsWith("tests/") || target.endsWith("_test.ts")) return "tests are not imported";
  // The command table is the one place that reads the program's own settings.
  if (to === null) return from === "src/cli" ? null : `${target} belongs to no part of the tree`;
  if (from === to) return null;
  if (!MAY_IMPORT[from].includes(to)) return `${from} may not import ${to}`;
  if (from === "src/proof/checker" && to === "src/policy" && !typeOnly) {
    return "the checker takes types only from src/policy";
  }
  if (from === "web" && to === "src/receipt" && !typeOnly && !/\/verify[^/]*$/.test(target)) {
    return "web takes types and verify only from src/receipt";
  }
  return null;
}

/** @returns one line for each import or name that is not where it belongs. */
export function importFaults(file: SourceFile): string[] {
  const { path } = file;
  if (!/\.tsx?$/.test(path) || path.startsWith("tests/") || /_test\.tsx?$/.test(path)) return [];
  const code = withoutComments(file.text);
  const faults: string[] = [];
  for (const one of importsOf(code)) {
    const fault = faultOf(path, one);
    if (fault) faults.push(`${path}: imports ${one.specifier}: ${fault}`);
  }
  for (const [name, owner] of RESERVED) {
    const said = code.match(name);
    if (said && !owner.test(path)) faults.push(`${path}: ${said[0]} does not belong here`);
  }
  return faults;
}
