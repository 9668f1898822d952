/**
 * The parts of README.md that are made from the source. `deno run -A tests/tools/readme.ts` writes
 * them anew; a test holds them against the source.
 */
import { configReference, markdownTable } from "../../src/base/config_reference.ts";
import { EXIT_MEANINGS } from "../../src/base/errors.ts";
import { FAILURES } from "../../src/cli/topics/failures.ts";
import { FILES } from "../../src/cli/topics/files.ts";

const README = new URL("../../README.md", import.meta.url);

/** The name in the marks around each part, and its text. */
const PARTS: Record<string, () => string> = {
  configuration: configReference,
  failures: () =>
    markdownTable(
      ["it says", "what it means", "what to do"],
      FAILURES.flatMap(([, failures]) => failures.filter(({ common }) => common))
        .map(({ codes, means, mend }) => [
          codes.map((code) => `\`${code}\``).join(", "),
          means,
          mend,
        ]),
    ),
  "exit codes": () =>
    markdownTable(
      ["exit code", "meaning"],
      Object.entries(EXIT_MEANINGS).map(([code, meaning]) => [code, meaning]),
    ),
  files: () => markdownTable(["path", "holds"], FILES.map(([path, what]) => [`\`${path}\``, what])),
};

const begin = (name: string) => `<!-- ${name}: made from the source -->`;
const end = (name: string) => `<!-- end of ${name} -->`;

/** @returns the text with every part made anew. @throws Error where a part's marks are missing. */
export function withParts(readme: string): string {
  let text = readme;
  for (const [name, make] of Object.entries(PARTS)) {
    const [from, to] = [text.indexOf(begin(name)), text.indexOf(end(name))];
    if (from < 0 || to < from) throw new Error(`README.md has no ${begin(name)} … ${end(name)}`);
    text = `${text.slice(0, from)}${begin(name)}\n\n${make()}\n${text.slice(to)}`;
  }
  return text;
}

/** @returns the README as it stands. */
export function readme(): string {
  return Deno.readTextFileSync(README);
}

if (import.meta.main) Deno.writeTextFileSync(README, withParts(readme()));
