import { assert, assertEquals, assertThrows } from "@std/assert";
import { Exit, VeiError } from "../base/errors.ts";
import { parseDiodeFile } from "./diode_file.ts";
import { formatPredicate } from "./predicate.ts";

const file = (predicate: string, more = "") =>
  `name = "x"\ndescription = "d"\nscope = "packet"\npredicate = ${predicate}\n${more}`;

Deno.test("a diode's file is read", () => {
  const read = parseDiodeFile(file(`'not contains "hate" within 512'`), "x.toml");
  assertEquals([read.name, read.description, read.scope], ["x", "d", "packet"]);
  assertEquals(formatPredicate(read.predicate), 'not contains "hate" within 512');
});

Deno.test("errors carry file, line and column, whatever the key or the quotes", () => {
  const wrong: [text: string, message: string, hint: string][] = [
    [file("'size < 1'", "lens = 1"), "x.toml:5:1: lens is not understood yet", "reserved"],
    [file("'size < 1'", "budget = 1"), "x.toml:5:1: budget is not understood yet", "reserved"],
    [file("'size < 1'", "window = 1"), "x.toml:5:1: unknown key window", "keys: name, description"],
    [file("'size < 1'", "scpoe = 1"), "x.toml:5:1: unknown key scpoe", "did you mean scope?"],
    [file("'size < 1'", "[predicates]"), "x.toml:5:2: unknown key predicates", "predicate?"],
    [file("3"), "x.toml:4:1: predicate must be a string with content", "write it like"],
    [file("''"), "x.toml:4:1: predicate must be a string with content", "write it like"],
    ['name = "x"\n', "x.toml:2:1: the key description is missing", "add: description"],
    [file("'size < 1'").replace("packet", "flow"), 'x.toml:3:1: unknown scope "flow"', "packet"],
    [file("'size < 1'").replace('"x"', '"X y"'), 'x.toml:1:1: "X y" cannot be a name', "lower"],
    [file("'size ! 1'"), 'x.toml:4:19: unexpected "!"', "not"],
    [file('"size ! 1"'), 'x.toml:4:19: unexpected "!"', "not"],
    // An escape is two characters in the file and one in the predicate.
    [file('"contains \\"a\\" !"'), 'x.toml:4:29: unexpected "!"', "not"],
    [file('"contains \\"\\u00e9\\" !"'), 'x.toml:4:34: unexpected "!"', "not"],
    [file('"contains \\"\\U0001F600\\" !"'), 'x.toml:4:38: unexpected "!"', "not"],
    [file("'''\nsize < 1\nor !'''"), 'x.toml:6:4: unexpected "!"', "not"],
    [file('"""\nsize < 1 \\\n  or !"""'), 'x.toml:6:6: unexpected "!"', "not"],
    [file("'size <'"), "x.toml:4:20: expected a number of bytes, found the end", "512"],
    [file("'matches /a(/'"), "x.toml:4:24: unterminated group", "parenthesis"],
    ["name = ", "x.toml:1:8: ", "TOML"],
  ];
  for (const [text, message, hint] of wrong) {
    const error = assertThrows(() => parseDiodeFile(text, "x.toml"), VeiError) as VeiError;
    assert(error.message.startsWith(message), `${error.message}, not ${message}`);
    assert(error.hint.includes(hint), `${error.hint} lacks ${hint}`);
    assertEquals([error.code, error.exit], ["diode-invalid", Exit.config]);
  }
});
