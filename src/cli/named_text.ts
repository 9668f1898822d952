/** A diode or a policy by its name or its file's path, as people and configurations give it. */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { exists } from "../host/missing.ts";
import { shippedDiode, shippedPolicy } from "../../diodes/shipped.ts";

const SHIPPED = { diode: shippedDiode, policy: shippedPolicy } as const;

/** Policies that were put on this machine: `NAME.toml` goes before a shipped one of that name. */
export const INSTALLED_POLICIES = "/etc/vei/policies";

/** What a policy may be called. */
export const POLICY_NAME = /^[a-z][a-z0-9_-]{0,31}$/;

/** A file's text, and the path that errors name. */
export interface NamedText {
  text: string;
  path: string;
}

/**
 * @param name a shipped or an installed one's name, or the path of a file: with a slash in it.
 * @param hint what to do when the file cannot be read.
 * @throws VeiError `diode-unknown`, `diode-unreadable`, `policy-unknown`, `policy-unreadable`.
 */
export async function namedText(
  what: keyof typeof SHIPPED,
  name: string,
  hint: string,
): Promise<NamedText> {
  if (name.includes("/")) return await textIn(what, name, hint);
  const installed = what === "policy" && POLICY_NAME.test(name)
    ? await installedPolicy(name)
    : null;
  return installed ?? { text: SHIPPED[what](name), path: `${name}.toml` };
}

/** @returns null where there is none; one that cannot be read makes no room for the shipped one. */
async function installedPolicy(name: string): Promise<NamedText | null> {
  const path = `${INSTALLED_POLICIES}/${name}.toml`;
  const there = await exists(path).catch(() => true);
  return there ? await textIn("policy", path, "mend its permissions, or remove it") : null;
}

async function textIn(what: keyof typeof SHIPPED, path: string, hint: string): Promise<NamedText> {
  try {
    return { text: await Deno.readTextFile(path), path };
  } catch (cause) {
    throw new VeiError({
      code: `${what}-unreadable`,
      message: `Cannot read the ${what} ${path}: ${messageOf(cause)}`,
      hint,
      exit: Exit.config,
      cause,
    });
  }
}
/**
 * A policy named on a command line, where a file's name is told by its ending too: no policy's name
 * has a full stop.
 * @throws VeiError as namedText.
 */
export function policySource(name: string): Promise<NamedText> {
  const file = /\.(toml|json)$/.test(name) && !name.includes("/");
  return namedText(
    "policy",
    file ? `./${name}` : name,
    "a policy is named as `vei policy list` names it, or by the path of a file",
  );
}
