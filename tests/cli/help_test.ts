import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Exit, EXIT_MEANINGS } from "../../src/base/errors.ts";
import { COMMAND_TABLE, COMMANDS } from "../../src/cli/commands.ts";
import { helpOf } from "../../src/cli/help.ts";
import { helpOn, TOPICS } from "../../src/cli/topics.ts";
import { failureCodes, failureOf, FAILURES } from "../../src/cli/topics/failures.ts";
import { vei } from "../tools/vei.ts";
import { codesIn, errorCodes } from "./error_codes.ts";

/** Caught and put into other words before a user could see them, or no failure at all. */
const NOT_FOR_USERS = [
  "boot-cancelled",
  "demo-interrupted",
  "identity-lost",
  "interface-missing",
  "link-wrong-address",
  "netlink-malformed",
  "netns-exists",
  "qmp-ended",
  "socket-path",
];

Deno.test("every error that the source can throw is explained, or named as one that none meets", () => {
  const unexplained = errorCodes().filter(({ code }) =>
    !NOT_FOR_USERS.includes(code) && !explained(code)
  );
  assertEquals(unexplained, [], "add it to a table in src/cli/topics/");
});

/** Of a code with a part that is put in at run time, at least one has to be there. */
function explained(code: string): boolean {
  if (!code.includes("*")) return failureOf(code) !== undefined;
  const form = new RegExp(`^${code.replaceAll("*", ".+|\\*")}$`);
  return failureCodes().some((one) => one === code || form.test(one));
}

Deno.test("every explained error is one that the source can throw, and is explained once", () => {
  const thrown = errorCodes().map(({ code }) => code);
  const matches = (code: string) =>
    thrown.some((one) =>
      one === code || (one.includes("*") && new RegExp(`^${one.replace("*", ".+")}$`).test(code))
    );
  assertEquals(failureCodes().filter((code) => !matches(code)), []);
  assertEquals(NOT_FOR_USERS.filter((code) => !matches(code)), []);
  assertEquals(failureCodes().length, new Set(failureCodes()).size);
});

Deno.test("codes are found where source names them", () => {
  const source = `
    throw new VeiError({ code: "a-b", message });
    throw new VeiError({
      code: taken ? "c-d" : "e-f",
      message: "x",
    });
    new VeiError({ code: \`sys-\${name}\`, exit });
    function refuse(code: string, message: string): VeiError {}
    refuse("g-h", "message");
    refuse(
      "i-j", "message");
    const other = { code: "k-l" };
  `;
  assertEquals(codesIn(source).sort(), ["a-b", "c-d", "e-f", "g-h", "i-j", "sys-*"]);
});

Deno.test("each failure says what it means and what to do, in one style", () => {
  for (const { means, mend, codes } of FAILURES.flatMap(([, failures]) => failures)) {
    assertMatch(means, /^[A-Z/].*[^.]$/, codes[0]);
    assertMatch(mend, /^[a-z`/].*[^.]$/, codes[0]);
  }
});

Deno.test("the overview fits a terminal and names every command and topic", () => {
  const { text } = helpOn([], COMMAND_TABLE);
  for (const line of text.split("\n")) assert(line.length <= 80, `shorten: ${line}`);
  for (const { name } of [...COMMANDS, ...TOPICS]) assertStringIncludes(text, name);
});

Deno.test("help answers for every command, family, topic and code", () => {
  for (const command of COMMANDS) {
    const answer = helpOn(command.name.split(" "), COMMAND_TABLE);
    assertEquals(answer, { kind: "command", text: helpOf(command) });
    assertStringIncludes(answer.text, "-h, --help");
    const [first, second] = command.name.split(" ");
    if (second) assertStringIncludes(helpOn([first], COMMAND_TABLE).text, command.name);
  }
  for (const { name } of TOPICS) {
    const { text } = helpOn([name], COMMAND_TABLE);
    assert(text.length > 100, name);
    for (const line of text.split("\n")) assert(line.length <= 100, `${name}: ${line}`);
  }
  for (const code of failureCodes()) {
    assertEquals(helpOn([code.replace("*", "eperm")], COMMAND_TABLE).kind, "failure");
  }
});

Deno.test("every exit code is in the help, from the one table", () => {
  const { text } = helpOn(["exit-codes"], COMMAND_TABLE);
  for (const code of Object.values(Exit)) {
    assertMatch(text, new RegExp(`^ +${code}  \\S`, "m"));
    assertStringIncludes(text, EXIT_MEANINGS[code]);
  }
});

Deno.test("what is misspelt gets the nearest", async () => {
  const asked: [string[], string][] = [
    [["staus"], "did you mean `vei status`?"],
    [["diode", "stats"], "did you mean `vei diode status`?"],
    [["help", "confg"], "did you mean `vei help config`?"],
    [["help", "tap-bussy"], "did you mean `vei help tap-busy`?"],
    [["status", "--jsn"], "did you mean --json?"],
    [["version", "x"], "run `vei version --help`"],
    [["help", "qqqqqqqq"], "run `vei help`"],
  ];
  const answers = await Promise.all(asked.map(([args]) => vei(args)));
  answers.forEach(({ code, stdout, stderr }, i) => {
    assertEquals([code, stdout], [64, ""], asked[i][0].join(" "));
    assertStringIncludes(stderr, asked[i][1]);
  });
});

Deno.test("help by words, by option and of a code", async () => {
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await vei(args);
    assertEquals([code, stderr], [0, ""], args.join(" "));
    return stdout;
  };
  const [byWord, byOption, byLetter, family, code, json] = await Promise.all([
    run("help", "diode", "logs"),
    run("diode", "logs", "--help"),
    run("diode", "logs", "-f", "-h"),
    run("diode", "--help"),
    run("help", "tap-busy"),
    run("help", "tap-busy", "--json"),
  ]);
  assertEquals([byOption, byLetter], [byWord, byWord]);
  assertMatch(byWord, /^ {2}-f, --follow .*\n {6}--instance NAME /m);
  assertStringIncludes(family, "Usage: vei diode COMMAND");
  assertMatch(code, /^tap-busy\n\nAnother process.*\n\nWhat to do: /);
  assertEquals(JSON.parse(json).kind, "failure");
});

Deno.test("what an error says cannot steer a terminal", async () => {
  const { stderr } = await vei(["\x1b[31mx"]);
  assert(!stderr.includes("\x1b"), stderr);
});
