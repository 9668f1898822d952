/** What the tree may hold. */
import type { SourceFile } from "./files.ts";

/** The top level is fixed. */
const TOP_LEVEL = new Set([
  ".ci",
  ".gitignore",
  "LICENSE",
  "README.md",
  "deno.json",
  "deno.lock",
  "diodes",
  "enclave",
  "ffi",
  "install.sh",
  "main.ts",
  "src",
  "tests",
  "web",
]);

/** Allowed, but not asked for: there is no status page yet. */
const MAY_BE_ABSENT = new Set(["web"]);

const MOST_LINES = 400;

/** Put together here, so that this file does not hold what it looks for. */
const word = (...parts: string[]) => parts.join("");

const UNFINISHED = new RegExp(
  `\\b(${[word("TO", "DO"), word("FIX", "ME"), word("X", "XX"), word("HA", "CK")].join("|")})\\b`,
);

const REGISTRIES = [
  word("registry.", "npmjs"),
  word("py", "pi.org"),
  word("python", "hosted"),
  word("crates", ".io"),
  word("proxy.", "golang"),
  word("maven", ".org"),
  word("deb.", "debian.org"),
  word("security.", "debian.org"),
];

/** Folders of one machine or one person. */
const MACHINE_PATH = new RegExp(`(?<![\\w.$}-])/(work|root|farm|home/\\w+|Users/\\w+)/[\\w.]`);

const UNRUN_TEST =
  /(?:[{,]|^)\s*(ignore|only|skip)\s*:\s*(true|!|[A-Za-z_$(])|\b(Deno\.test|test|it|describe|step)\.(ignore|only|skip)\s*\(/m;

function isCode(path: string): boolean {
  return /\.(ts|tsx|js|css|sh|md|toml|html)$/.test(path);
}

/** @returns one line for each thing in a file that does not belong there. */
export function treeFaults({ path, text }: SourceFile): string[] {
  const faults: string[] = [];
  const say = (fault: string) => faults.push(`${path}: ${fault}`);
  const top = path.split("/")[0];
  if (!TOP_LEVEL.has(top)) say(`${top} does not belong on the top level`);
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  if (isCode(path) && lines > MOST_LINES) say(`${lines} lines, and ${MOST_LINES} is the most`);
  const unfinished = text.match(UNFINISHED);
  if (unfinished) say(`the word ${unfinished[0]}`);
  for (const host of REGISTRIES) if (text.includes(host)) say(`the registry's name ${host}`);
  const absolute = text.match(MACHINE_PATH);
  if (absolute) say(`the machine's path ${absolute[0]}`);
  const unrun = /_test\.tsx?$/.test(path) ? text.match(UNRUN_TEST) : null;
  if (unrun) say(`a test that may not run: ${unrun[0]}`);
  return faults;
}

/** @returns a line for each name of the fixed top level that is missing. */
export function missingFrom(files: SourceFile[]): string[] {
  const there = new Set(files.map(({ path }) => path.split("/")[0]));
  return [...TOP_LEVEL].filter((name) => !there.has(name) && !MAY_BE_ABSENT.has(name))
    .map((name) => `${name} is missing`);
}
