/**
 * `vei.toml`: every key with its default. An unknown key is an error: a misspelt limit that is
 * silently ignored is a gate left open.
 */
import { parse } from "smol-toml";
import * as v from "valibot";
import {
  anyNames,
  autoOr,
  count,
  credential,
  duration,
  ipv4,
  key,
  listen,
  name,
  names,
  oneOf,
  size,
  table,
} from "./config_keys.ts";
import { Exit, VeiError } from "./errors.ts";
import { tomlProblem } from "./toml.ts";

/** Every key has its kind, its default and a sentence; the reference is made of them. */
export const ConfigSchema = v.strictObject({
  api: table("The API, the page and their limits", {
    listen: key(listen, "127.0.0.1:8787", "Where the API and the page listen"),
    hosts: key(
      names,
      ["localhost", "127.0.0.1", "[::1]"],
      "Host names that a request may ask for; any other is refused, against DNS rebinding",
    ),
    max_body: key(size, "1 MiB", "The largest request that is read"),
    max_queue: key(count(1, 4096), 64, "Requests that may wait for the model; more are refused"),
    idle_timeout: key(
      duration,
      "60 s",
      "How long the model may say nothing before its request is ended",
    ),
  }),
  policy: table("What the monitor enforces on the text of answers", {
    default: key(name, "secrets", "A policy's name, or the path of a file"),
    allow: key(
      anyNames,
      [],
      "Policies that a request may choose instead, by the header VEI-Policy with the policy's name",
    ),
  }),
  diode: table("What the kernel enforces on every packet", {
    name: key(
      name,
      "text",
      "A shipped diode's name, the path of a file, or policy: and a policy's name or path",
    ),
  }),
  enclave: table("The virtual machine that the model runs in", {
    model: key(name, "default", 'A model\'s name; "default" is the one that `vei model use` chose'),
    memory: key(
      size,
      "256 MiB",
      "The machine's memory; the weights are read through it from a disk",
    ),
    threads: key(autoOr(count(1, 64)), "auto", "Processors of the machine"),
    context: key(count(64, 131072), 512, "Tokens of prompt and answer together"),
    accel: key(
      oneOf("auto", "kvm", "tcg"),
      "auto",
      "Hardware virtualisation or emulation; auto tries KVM and takes it if it works",
    ),
  }),
  link: table("The two ends of the wire", {
    host: key(ipv4, "172.30.0.1", "Our address on it"),
    guest: key(ipv4, "172.30.0.11", "The virtual machine's address on it"),
  }),
  receipt: table("The node's receipts", {
    key: key(
      credential,
      "",
      "The systemd credential that holds the signing key; without one it is node.key in the " +
        "state folder",
    ),
  }),
  log: table("The daemon's log", {
    level: key(oneOf("debug", "info", "warn", "error"), "info", "What is below it is not written"),
  }),
});

/** The whole configuration, every key set. */
export type Config = v.InferOutput<typeof ConfigSchema>;

/** @returns the configuration with every key at its default. */
export function defaultConfig(): Config {
  return v.parse(ConfigSchema, {});
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
  const result = v.safeParse(ConfigSchema, raw);
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
