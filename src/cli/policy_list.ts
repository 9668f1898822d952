/** `vei policy list | show`: the policies that there are, and what one says. */
import { sha256 } from "../base/bytes.ts";
import type { Config } from "../base/config.ts";
import { Exit, explain, messageOf } from "../base/errors.ts";
import { readPolicy } from "../policy/policy_text.ts";
import { shippedPolicies, shippedPolicy } from "../../diodes/shipped.ts";
import type { Command, CommandContext } from "./command.ts";
import { CONFIG_OPTION, configPlace, loadConfig } from "./load_config.ts";
import { INSTALLED_POLICIES, policySource } from "./named_text.ts";
import { columns } from "./topics/topic.ts";
import { printable } from "./terminal.ts";
import { usageError } from "./usage.ts";

interface Listed {
  /** As configurations and command lines name it. */
  name: string;
  version: string | null;
  description: string | null;
  from: "shipped" | "installed" | "file";
  /** Of its file; null: it is in the program. */
  path: string | null;
  /** Why it cannot be used. */
  error: string | null;
  /** Null: it is not known what is configured. */
  default: boolean | null;
  /** Whether a request may choose it; null: it is not known. */
  allowed: boolean | null;
}

export const list: Command = {
  name: "policy list",
  summary: "the policies that are shipped and installed; which is the default",
  usage: "[--config FILE]",
  example: "vei policy list",
  options: CONFIG_OPTION,
  async run(context) {
    const { json, terminal } = context;
    const configured = await configuredPolicies(context);
    const all = await listed(configured);
    if (json) terminal.json(all);
    else {
      const rows = all.map(({ name, description, error, from, default: chosen, allowed }) => {
        const marks = [
          ...(from === "shipped" ? [] : [from]),
          ...(chosen ? ["the default"] : []),
          ...(allowed ? ["requests may choose it"] : []),
        ];
        const text = error === null ? description! : `cannot be used: ${error}`;
        return [name, `${text}${marks.length > 0 ? ` (${marks.join(", ")})` : ""}`] as const;
      });
      for (const line of columns(rows).split("\n")) terminal.out(line.slice(2));
    }
    return Exit.ok;
  },
};

type Configured = Config["policy"] | null;

/** @returns null where it cannot be read; that is told. */
async function configuredPolicies(context: CommandContext): Promise<Configured> {
  const { path, named } = configPlace(context);
  try {
    return (await loadConfig(path, { mustExist: named })).policy;
  } catch (cause) {
    if (named) throw cause;
    context.terminal.err(`warning: the default is not known: ${explain(cause)}`);
    return null;
  }
}

async function listed(configured: Configured): Promise<Listed[]> {
  const installed = await installedNames();
  const all: Listed[] = [];
  for (const name of shippedPolicies().filter((name) => !installed.includes(name))) {
    all.push(entry(name, "shipped", null, shippedPolicy(name)));
  }
  for (const name of installed) {
    all.push(await fileEntry(name, "installed", `${INSTALLED_POLICIES}/${name}.toml`));
  }
  const named = configured === null ? [] : [configured.default, ...configured.allow];
  for (const path of new Set(named.filter((name) => name.includes("/")))) {
    all.push(await fileEntry(path, "file", path));
  }
  return all.map((one) => ({
    ...one,
    default: configured && one.name === configured.default,
    allowed: configured && configured.allow.includes(one.name),
  }));
}

async function installedNames(): Promise<string[]> {
  try {
    const names = await Array.fromAsync(Deno.readDir(INSTALLED_POLICIES), ({ name }) => name);
    return names.filter((name) => name.endsWith(".toml")).map((name) => name.slice(0, -5)).sort();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return [];
    throw cause;
  }
}

async function fileEntry(name: string, from: Listed["from"], path: string): Promise<Listed> {
  try {
    return entry(name, from, path, await Deno.readTextFile(path));
  } catch (cause) {
    return { ...UNKNOWN, name, from, path, error: messageOf(cause) };
  }
}

const UNKNOWN = { version: null, description: null, error: null, default: null, allowed: null };

function entry(name: string, from: Listed["from"], path: string | null, text: string): Listed {
  try {
    const { version, description } = readPolicy(text, path ?? `${name}.toml`);
    return { ...UNKNOWN, name, version, description, from, path };
  } catch (cause) {
    return { ...UNKNOWN, name, from, path, error: messageOf(cause) };
  }
}

export const show: Command = {
  name: "policy show",
  summary: "a policy's text",
  usage: "NAME|FILE",
  complete: { wordsOrFile: shippedPolicies() },
  example: "vei policy show secrets",
  async run({ positionals, json, terminal }) {
    if (positionals.length !== 1) throw onePolicy();
    const { text, path } = await policySource(positionals[0]);
    if (json) {
      terminal.json({ path, sha256: await sha256(new TextEncoder().encode(text)), text });
    } else terminal.write(terminal.screen() === null ? text : printable(text));
    return Exit.ok;
  },
};

/** @returns the error where a command line does not name just one. */
export function onePolicy() {
  return usageError("Name one policy", "`vei policy list` shows them; a file's path works too");
}
