/** `vei policy init`: a policy to begin with. */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import type { Command } from "./command.ts";
import { POLICY_NAME } from "./named_text.ts";
import example from "./policy_example.toml" with { type: "text" };
import { usageError } from "./usage.ts";

export const command: Command = {
  name: "policy init",
  summary: "write a commented policy to ./NAME.toml; never over a file",
  usage: "NAME",
  example: "vei policy init support",
  async run({ positionals, json, terminal }) {
    const [name] = positionals;
    if (positionals.length !== 1 || !POLICY_NAME.test(name)) {
      throw usageError(
        positionals.length === 1
          ? `${JSON.stringify(name)} cannot be a policy's name`
          : "Name the policy that is to be written",
        "1 to 32 lower-case letters, digits, - and _, beginning with a letter",
      );
    }
    const path = `${name}.toml`;
    try {
      await Deno.writeTextFile(path, exampleNamed(name), { createNew: true });
    } catch (cause) {
      const there = cause instanceof Deno.errors.AlreadyExists;
      throw new VeiError({
        code: "out-unwritable",
        message: there ? `${path} is there already` : `Cannot write ${path}: ${messageOf(cause)}`,
        hint: "name another policy, or go to another folder",
        exit: Exit.cannotCreate,
        cause,
      });
    }
    if (json) terminal.json({ path });
    else terminal.out(`${path} is written; next: vei policy check ${path}`);
    return Exit.ok;
  },
};

/** @returns the example, under a policy's name. */
function exampleNamed(name: string): string {
  return example.replace('name = "example"', `name = "${name}"`);
}
