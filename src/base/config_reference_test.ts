import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { defaultConfig, parseConfig } from "./config.ts";
import {
  configReference,
  configTables,
  configText,
  defaultConfigText,
  markdownTable,
} from "./config_reference.ts";

Deno.test("every key and table of the configuration has its words", () => {
  for (const table of configTables()) {
    assert(table.describe !== "", `[${table.name}] has no description: use table() in config.ts`);
    for (const { name, kind, describe } of table.keys) {
      const key = `[${table.name}] ${name}`;
      assert(describe !== "", `${key} has no description: write it with key(…) in config.ts`);
      assert(kind !== "", `${key} has no kind: take or add one in config_keys.ts`);
      assert(!describe.endsWith("."), `${key}: no final full stop`);
    }
  }
});

Deno.test("the default configuration's text says the defaults, with every key", () => {
  const text = defaultConfigText();
  assertEquals(parseConfig(text, "vei.toml"), defaultConfig());
  const lines = text.split("\n");
  for (const [table, keys] of Object.entries(defaultConfig())) {
    assert(lines.includes(`[${table}]`), table);
    for (const key of Object.keys(keys)) {
      assertEquals(lines.filter((line) => line.startsWith(`${key} = `)).length > 0, true, key);
    }
  }
  for (const line of lines) assert(line.length <= 100, line);
});

Deno.test("a changed default changes the text: it is read from the schema", () => {
  const text = defaultConfigText().replace("max_queue = 64", "max_queue = 65");
  assertEquals(parseConfig(text, "vei.toml").api.max_queue, 65);
});

Deno.test("the reference names every key, for Markdown and for a terminal", () => {
  for (const { name, keys } of configTables()) {
    for (const key of keys) {
      assertStringIncludes(configReference(), `\`[${name}] ${key.name}\``);
      assertStringIncludes(configText(), `  ${key.name} = ${key.fallback}\n`);
    }
  }
});

Deno.test("a cell cannot break its table", () => {
  assertEquals(
    markdownTable(["a", "b"], [["x|y", "z"]]),
    "| a    | b   |\n| ---- | --- |\n| x\\|y | z   |\n",
  );
});
