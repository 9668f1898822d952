/** What `vei.toml` may hold, for people: the file that is installed, and the README's tables. */
import { stringify } from "smol-toml";
import * as v from "valibot";
import { type Config, ConfigSchema, defaultConfig } from "./config.ts";
import { kindOf } from "./config_keys.ts";
import { wrapped } from "./wrap.ts";

export interface ConfigKey {
  name: string;
  /** As it is written in TOML, e.g. `"1 MiB"`. */
  fallback: string;
  /** What values it takes, in words. */
  kind: string;
  /** One sentence without a final full stop. */
  describe: string;
}

export interface ConfigTable {
  name: string;
  describe: string;
  keys: ConfigKey[];
}

/** The most columns of a line. */
const WIDTH = 100;

/** @returns every table with every key, in the schema's order; "" where words are missing. */
export function configTables(): ConfigTable[] {
  const defaults = defaultConfig();
  return Object.entries(ConfigSchema.entries).map(([name, { wrapped }]) => ({
    name,
    describe: v.getDescription(wrapped) ?? "",
    keys: Object.entries(wrapped.entries as Record<string, Entry>).map(([key, entry]) => {
      const schema = "wrapped" in entry ? entry.wrapped : entry;
      return {
        name: key,
        fallback: tomlOf(valueOf(defaults, name, key)),
        kind: kindOf(schema),
        describe: v.getDescription(schema) ?? "",
      };
    }),
  }));
}

type Entry = v.GenericSchema | { wrapped: v.GenericSchema };

function valueOf(config: Config, table: string, key: string): unknown {
  return (config as unknown as Record<string, Record<string, unknown>>)[table][key];
}

function tomlOf(value: unknown): string {
  return stringify({ x: value }).replace(/^x = /, "").trimEnd().replace(/^\[ (.*) \]$/, "[$1]");
}

/**
 * @returns a `vei.toml` that says in comments what every key means, and sets each to its default:
 * reading it gives `defaultConfig()`.
 */
export function defaultConfigText(): string {
  const lines = [
    "# The configuration of VEI. Each key stands here with its default; a key that is left out has",
    "# it too, and a key that is not known is an error. `vei reload` takes up what can be changed",
    "# while the daemon runs; `vei help config` says more.",
  ];
  for (const { name, describe, keys } of configTables()) {
    lines.push("", `# ${describe}.`, `[${name}]`);
    for (const key of keys) {
      lines.push(...wrapped(`${key.describe}: ${key.kind}.`, WIDTH, "# "));
      lines.push(`${key.name} = ${key.fallback}`);
    }
  }
  return lines.join("\n") + "\n";
}

/** @returns the reference as Markdown: a table for each table of the file. */
export function configReference(): string {
  const rows = configTables().flatMap(({ name, keys }) =>
    keys.map((key) => [`\`[${name}] ${key.name}\``, `\`${key.fallback}\``, key.kind, key.describe])
  );
  return markdownTable(["key", "default", "takes", "meaning"], rows);
}

/** @returns a Markdown table with its columns aligned, as `deno fmt` writes it. */
export function markdownTable(head: string[], rows: string[][]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, i) => Math.max(3, ...cells.map((row) => row[i].length)));
  const line = (row: string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join("\n") + "\n";
}

/** @returns the reference for a terminal. */
export function configText(): string {
  const lines: string[] = [];
  for (const { name, describe, keys } of configTables()) {
    lines.push("", `[${name}]  ${describe}`);
    for (const key of keys) {
      lines.push(`  ${key.name} = ${key.fallback}`);
      for (const words of [key.describe, key.kind]) lines.push(...wrapped(words, WIDTH, "      "));
    }
  }
  return lines.slice(1).join("\n");
}
