/**
 * `vei.toml`: every key with its default. An unknown key is an error: a misspelt limit that is
 * silently ignored is a gate left open.
 */
import { parse } from "smol-toml";
import * as v from "valibot";
import { parseDuration, parseSize } from "./bytes.ts";
import { Exit, VeiError } from "./errors.ts";
import { parseIpv4 } from "./ipv4.ts";
import { tomlProblem } from "./toml.ts";

const parses = (read: (text: string) => unknown, what: string) =>
  v.pipe(
    v.string(),
    v.check((text) => {
      try {
        read(text);
        return true;
      } catch {
        return false;
      }
    }, `must be ${what}`),
  );

const size = parses(parseSize, 'a size such as "1 MiB"');
const duration = parses(parseDuration, 'a time such as "60 s"');
const ipv4 = parses(parseIpv4, 'an IPv4 address such as "172.30.0.1"');
const listen = v.pipe(
  v.string(),
  v.regex(
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}:\d{1,5}$/,
    'must be a loopback address and port such as "127.0.0.1:8787"',
  ),
);
const count = (least: number, most: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
const name = v.pipe(v.string(), v.minLength(1, "must not be empty"));

const Schema = v.strictObject({
  api: v.optional(
    v.strictObject({
      listen: v.optional(listen, "127.0.0.1:8787"),
      hosts: v.optional(v.pipe(v.array(name), v.minLength(1)), ["localhost", "127.0.0.1", "[::1]"]),
      max_body: v.optional(size, "1 MiB"),
      max_queue: v.optional(count(1, 4096), 64),
      idle_timeout: v.optional(duration, "60 s"),
    }),
    {},
  ),
  policy: v.optional(v.strictObject({ default: v.optional(name, "hateless") }), {}),
  diode: v.optional(v.strictObject({ name: v.optional(name, "hateless") }), {}),
  enclave: v.optional(
    v.strictObject({
      model: v.optional(name, "default"),
      memory: v.optional(size, "256 MiB"),
      threads: v.optional(v.union([v.literal("auto"), count(1, 64)]), "auto"),
      context: v.optional(count(64, 131072), 512),
      accel: v.optional(v.picklist(["auto", "kvm", "tcg"]), "auto"),
    }),
    {},
  ),
  link: v.optional(
    v.strictObject({
      host: v.optional(ipv4, "172.30.0.1"),
      guest: v.optional(ipv4, "172.30.0.11"),
    }),
    {},
  ),
  log: v.optional(
    v.strictObject({ level: v.optional(v.picklist(["debug", "info", "warn", "error"]), "info") }),
    {},
  ),
});

/** The whole configuration, every key set. */
export type Config = v.InferOutput<typeof Schema>;

/** @returns the configuration with every key at its default. */
export function defaultConfig(): Config {
  return v.parse(Schema, {});
}

/**
 * @param text a TOML document.
 * @param path named in errors.
 * @throws VeiError `config-invalid`: syntax (line and column), unknown key, wrong type or range.
 */
export function parseConfig(text: string, path: string): Config {
  let raw: unknown;
  try {
    raw = parse(text);
  } catch (cause) {
    const { where, why } = tomlProblem(cause);
    throw invalid(`Cannot read ${path}${where}: ${why}`, "mend the TOML syntax there", cause);
  }
  const result = v.safeParse(Schema, raw);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const key = (issue.path ?? []).map((item) => String(item.key)).join(".");
  const unknown = issue.expected === "never";
  throw invalid(
    unknown ? `${path}: unknown key ${key}` : `${path}: ${key} ${issue.message}`,
    unknown
      ? `remove or correct it; keys of this table: ${knownKeys(issue.path ?? [])}`
      : `now: ${JSON.stringify(issue.input)}`,
  );
}

function knownKeys(path: readonly { key: unknown }[]): string {
  const all = defaultConfig() as unknown as Record<string, Record<string, unknown>>;
  const table = path.length > 1 ? all[String(path[0].key)] : all;
  return Object.keys(table ?? all).join(", ");
}

function invalid(message: string, hint: string, cause?: unknown): VeiError {
  return new VeiError({ code: "config-invalid", message, hint, exit: Exit.config, cause });
}
