import { assertEquals, assertThrows } from "@std/assert";
import { parse } from "smol-toml";
import { readQuoted, type Spot, Unfinished } from "./spots.ts";
import { tomlSpots } from "./toml_spots.ts";

/** Every value that is a number is written as its own line's number, but for blanks. */
const DOCUMENT = `\ufeff# [not] = a table
first = 2 # "a comment'
"quo\\u0074ed \\" key" = 3
'li.teral' . "b" = 4
dotted.x.y = 5
dotted . z = 6
date = 1979-05-27 07:32:00 # and not 7
list = [ 8, # ] in a comment
  9,
  [ 10, "]", ']', """]""" ], { a = 10 } ,
  11 ]
inline = { a = 12, b.c = 12, "d" = { e = 12 }, f = [ 12 ], g = "}" }
text = """
not = 14""\\
   \\" ""\\"""""
# no = 16
long = '''a
[b]'''''
after = 19
[ table . "sub" ]
a = 21
[[many]]
a = 23
[many.inner]
a = 25
[[many]] # the second
a = 27
[[many.deep]]
a = 29\r
b = [\r
  31 ]\r
`;

/** @returns every number, with the line that its place is in. */
function numbers(value: unknown, spot: Spot | undefined): [number, number][] {
  if (spot === undefined) throw new Error(`no place for ${JSON.stringify(value)}`);
  if (typeof value === "number") {
    assertEquals(DOCUMENT.slice(spot.at, spot.at + String(value).length), String(value));
    return [[value, DOCUMENT.slice(0, spot.at).split("\n").length]];
  }
  if (Array.isArray(value)) return value.flatMap((item, i) => numbers(item, spot.items[i]));
  if (typeof value !== "object" || value === null || value instanceof Date) return [];
  return Object.entries(value).flatMap(([key, item]) => numbers(item, spot.keys.get(key)));
}

Deno.test("every value of a TOML document is found, whatever stands around it", () => {
  const found = numbers(parse(DOCUMENT), tomlSpots(DOCUMENT));
  assertEquals(found.length, 21);
  for (const [value, line] of found) assertEquals(line, value);
});

Deno.test("a document that cannot be followed gives the places up to there", () => {
  const spots = tomlSpots('a = 1\nb = "x" y\nc = [1,\n');
  assertEquals([...spots.keys.keys()], ["a", "b"]);
});

Deno.test("strings of all kinds: the value that the parser gives, and a place for each unit", () => {
  const strings = [
    '"a\\tb\\u00e9\\U0001F600\\\\ \\" \'"',
    "'a\\tb\"'",
    '"""\n"a" ""b"" \\\n \r\n  c\\u0041"""""',
    "'''\r\n'a' ''b''\r\n'''''",
    '""',
    "''",
    '""""""',
    "''''''''",
  ];
  for (const text of strings) {
    const { value, offsets, end } = readQuoted(text, 0);
    assertEquals(value, parse(`a = ${text}`).a, text);
    assertEquals([offsets.length, end], [value.length + 1, text.length], text);
    for (let i = 0; i < value.length; i++) {
      if (/[\w']/.test(value[i]) && text[offsets[i]] !== "\\") {
        assertEquals(text[offsets[i]], value[i]);
      }
    }
  }
  assertThrows(() => readQuoted('"a\\"', 0), Unfinished);
});
