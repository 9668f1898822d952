import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMAND_TABLE, COMMANDS } from "../../src/cli/commands.ts";
import { completionScript, SHELLS } from "../../src/cli/completions.ts";
import { vei } from "../tools/vei.ts";

/** Command lines as they are typed, and what has to come of them. `null`: the test's own files. */
const CASES: [typed: string, wanted: string[] | null][] = [
  ["vei di", ["diode"]],
  ["vei receipt ex", ["export"]],
  ["vei model ", ["add", "list", "use"]],
  ["vei diode --instance x det", ["detach"]],
  ["vei diode logs --f", ["--follow"]],
  ["vei completions ", ["bash", "fish", "zsh"]],
  ["vei help exit", ["exit-codes"]],
  ["vei help dio", ["diode", "diodes"]],
  ["vei serve --model m", ["mock"]],
  ["vei serve --model=m", ["mock"]],
  ["vei serve --config ", null],
  ["vei serve --config=", null],
  ["vei verify ", null],
  ["vei verify --key mock ", null],
  ["vei diode try hatel", ["hateless"]],
  ["vei diode try on", ["one.toml"]],
  ["vei diode try policy:h", ["policy:hateless"]],
  ["vei diode show policy:no-l", ["policy:no-links"]],
  ["vei version x", []],
];

const FILES = ["one.toml", "two words.json"];

/** @returns what the shell would put at the end of a line. */
type Complete = (typed: string, script: string, folder: string) => Promise<string[]>;
type CompleteAll = (lines: string[], script: string, folder: string) => Promise<string[][]>;

/** Runs a program of the machine. @throws Error when it is not there or fails. */
async function run(program: string, args: string[], cwd: string): Promise<string> {
  let output;
  try {
    output = await new Deno.Command(program, {
      ...{ args, cwd, stdin: "null" },
      env: { HOME: cwd, NO_COLOR: "1" },
    }).output();
  } catch (cause) {
    throw new Error(`${program} is needed for this test (\`./install.sh test\` brings it)`, {
      cause,
    });
  }
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals([output.code, text(output.stderr)], [0, ""], `${program} ${args.join(" ")}`);
  return text(output.stdout);
}

const words = (text: string) => text.split("\n").filter((line) => line !== "");

/** As bash itself splits: at blanks, and `=` and `:` are words of their own. */
const bash: Complete = async (typed, script, folder) => {
  const split = typed.split(" ")
    .flatMap((word) => word.split(/([=:])/).filter((part) => part !== ""));
  if (typed.endsWith(" ")) split.push("");
  const quoted = split.map((word) => `'${word}'`).join(" ");
  const drive = `. '${script}'; COMP_WORDS=(${quoted}); COMP_CWORD=${split.length - 1}; ` +
    `$(complete -p vei | sed 's/.*-F \\([^ ]*\\).*/\\1/'); printf '%s\\n' "\${COMPREPLY[@]}"`;
  const found = words(await run("bash", ["--norc", "--noprofile", "-c", drive], folder));
  const [before] = /[^ ]*:/.exec(typed) ?? [""];
  return found.map((word) => before + word);
};

const fish: Complete = async (typed, script, folder) => {
  const drive = `source '${script}'; complete -C '${typed}'`;
  const lines = words(await run("fish", ["--no-config", "-c", drive], folder));
  return lines.map((line) =>
    line.split("\t")[0].replace(/^--\w+=(?=.)/, "").replaceAll("\\ ", " ")
  );
};

/**
 * Zsh completes in its line editor only: it gets a terminal, and tells what it would add. One shell
 * for all lines, because its completion takes a second to begin. The line is taken back by a key that
 * a terminal in its plain mode does not act on: the editor may not have begun yet.
 */
const zsh: CompleteAll = async (lines, _script, folder) => {
  const asked = lines.map((typed, i) => `
    say 'print -r -- "=${i}" >>${folder}/.found'
    zpty -w -n z ${JSON.stringify(typed)}$'\\t'
    zpty -w -n z $'\\C-g'
    say "print do''ne${i}."
    zpty -r z seen '*done${i}.*' || exit 1`);
  const drive = `
    zmodload zsh/zpty || exit 1
    shell() {
      stty cols 500 rows 1000
      exec zsh -f -i
    }
    zpty z shell
    say() { zpty -w z "$1"; }
    say "PS1= PS2=; unsetopt zle_bracketed_paste; cd ${folder}"
    say "fpath=(${folder}/.. $fpath); autoload -Uz compinit && compinit -D -u"
    say 'compadd() {
      local -a found
      builtin compadd -O found "$@"
      print -rl -- "\${(@)found/#/<}" >>${folder}/.found
      return 1
    }'
    say "bindkey '^I' complete-word '^G' kill-buffer; print rea''dy"
    zpty -r z seen '*ready*' || exit 1
    ${asked.join("\n")}
    zpty -d z
  `;
  await run("zsh", ["-f", "-c", drive], folder);
  const found = await Deno.readTextFile(`${folder}/.found`);
  return found.split(/^=\d+$/m).slice(1).map((part) => {
    const added = words(part).filter((line) => line !== "<");
    return [...new Set(added.map((line) => line.slice(1).replaceAll("\\ ", " ")))];
  });
};

/** A shell in which every line is completed by itself. */
function each(complete: Complete): CompleteAll {
  return (lines, script, folder) =>
    Promise.all(lines.map((typed) => complete(typed, script, folder)));
}

for (const [shell, complete] of Object.entries({ bash: each(bash), zsh, fish: each(fish) })) {
  Deno.test(`${shell} completes commands, options, values and files`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "vei-complete-" });
    const work = `${folder}/work`;
    try {
      await Deno.mkdir(work);
      for (const name of FILES) await Deno.writeTextFile(`${work}/${name}`, "");
      // The name under which zsh finds it by itself.
      const script = `${folder}/_vei`;
      await Deno.writeTextFile(script, completionScript(shell, COMMAND_TABLE));
      const got = await complete(CASES.map(([typed]) => typed), script, work);
      CASES.forEach(([typed, wanted], i) => {
        assertEquals(got[i]?.sort(), wanted ?? FILES, `${shell}: ${typed}`);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("every command and every option is in every shell's script", () => {
  for (const shell of Object.keys(SHELLS)) {
    const script = completionScript(shell, COMMAND_TABLE);
    for (const { name, options } of COMMANDS) {
      for (const word of name.split(" ")) assertStringIncludes(script, word, shell);
      for (const option of Object.keys(options ?? {})) {
        assertStringIncludes(script, shell === "fish" ? ` -l ${option} ` : `--${option}`, shell);
      }
    }
  }
});

Deno.test("the command prints what the function gives, and knows no other shell", async () => {
  const [bash, other] = await Promise.all([
    vei(["completions", "bash"]),
    vei(["completions", "tcsh"]),
  ]);
  assertEquals(bash.stdout, completionScript("bash", COMMAND_TABLE));
  assertEquals([other.code, other.stdout], [64, ""]);
  assert(other.stderr.includes("bash, zsh, fish"), other.stderr);
});
