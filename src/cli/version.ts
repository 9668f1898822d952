/** `vei version`. */
import settings from "../../deno.json" with { type: "json" };
import { Exit } from "../base/errors.ts";
import type { Command } from "./command.ts";

/** The program's version, from `deno.json`. */
export const VERSION: string = settings.version;

export const command: Command = {
  name: "version",
  summary: "print the version",
  example: "vei version --json",
  run({ json, terminal }) {
    if (json) {
      terminal.json({ vei: VERSION, deno: Deno.version.deno, v8: Deno.version.v8 });
    } else {
      terminal.out(`vei ${VERSION} (deno ${Deno.version.deno})`);
    }
    return Promise.resolve(Exit.ok);
  },
};
