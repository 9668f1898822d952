import { assertEquals, assertThrows } from "@std/assert";
import { VeiError } from "../base/errors.ts";
import { parsePolicy } from "./policy_file.ts";

const GOOD = `name = "x"\nversion = "1"\ndescription = "d"\n[[forbid]]\nid = "a"\nwords = ["w"]\n`;

Deno.test("a policy is read, with case sensitive words by default", () => {
  const policy = parsePolicy(GOOD, "x.toml");
  assertEquals(policy.forbid, [{ id: "a", words: ["w"], ignoreCase: false }]);
});

const BAD: Record<string, [text: string, says: string]> = {
  "empty": ["", "name"],
  "not TOML": ["name =", "x.toml:1:"],
  "without rules": [
    'name = "x"\nversion = "1"\ndescription = "d"\nforbid = []',
    "at least one rule",
  ],
  "with an unknown key": [`warn_only = true\n${GOOD}`, "warn_only is not a key"],
  "with an unknown key in a rule": [`${GOOD}action = "warn"`, "forbid.0.action is not a key"],
  "with an empty word": [GOOD.replace('["w"]', '[""]'), "forbid.0.words.0"],
  "without words": [GOOD.replace('["w"]', "[]"), "at least one word"],
  "with a number for a word": [GOOD.replace('["w"]', "[3]"), "forbid.0.words.0"],
  "with the same id twice": [`${GOOD}[[forbid]]\nid = "a"\nwords = ["v"]`, "the id a"],
  "with a bad name": [GOOD.replace('"x"', '"../x"'), "name must be"],
};

for (const [what, [text, says]] of Object.entries(BAD)) {
  Deno.test(`a policy ${what} is refused`, () => {
    const error = assertThrows(() => parsePolicy(text, "x.toml"), VeiError, says);
    assertEquals((error as VeiError).exit, 78);
  });
}
