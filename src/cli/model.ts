/** `vei model list | add | use`. */
import { listModels, useModel } from "../../enclave/models.ts";
import type { ModelOrigin } from "../../enclave/model_source.ts";
import { lineProgress } from "../../enclave/progress.ts";
import { addModel } from "../../enclave/setup.ts";
import { Exit } from "../base/errors.ts";
import type { Command } from "./command.ts";
import { printable } from "./terminal.ts";
import { usageError } from "./usage.ts";

/**
 * @param from a file's path or an http(s) URL.
 * @param name default: the file's name in lower case, without `.gguf`.
 */
export function modelOrigin(from: string, name?: string, sha256?: string): ModelOrigin {
  const last = from.replace(/[?#].*$/, "").split("/").at(-1)!.toLowerCase().replace(/\.gguf$/, "");
  return { from, name: name ?? last.replace(/[^a-z0-9._-]/g, "-"), sha256 };
}

function only(positionals: string[], what: string): string {
  if (positionals.length === 1) return positionals[0];
  throw usageError(`Give exactly one ${what}`, "run `vei model --help`");
}

export const list: Command = {
  name: "model list",
  summary: "the models that are there; * marks the default",
  example: "vei model list",
  async run({ instance, json, terminal }) {
    const { default: chosen, models } = await listModels(instance.state);
    if (json) terminal.json({ default: chosen, models });
    else if (models.length === 0) terminal.out("no model yet: run `vei setup`");
    else {
      const width = Math.max(...models.map(({ name }) => name.length));
      for (const { name, digest, size, source, licence } of models) {
        const mark = name === chosen ? "*" : " ";
        const megabytes = `${(size / 1e6).toFixed(1)} MB`.padStart(10);
        const rest = printable(`${source}, licence: ${licence}`);
        terminal.out(`${mark} ${name.padEnd(width)} ${megabytes}  ${digest.slice(0, 12)}  ${rest}`);
      }
    }
    return Exit.ok;
  },
};

export const add: Command = {
  name: "model add",
  summary: "copy or download a GGUF model and name it",
  usage: "FILE | URL --sha256 HEX",
  example: "sudo vei model add ./tinyllama.gguf --name tinyllama",
  complete: "file",
  options: {
    name: { type: "string", value: "NAME", describe: "what to call it (default: the file's name)" },
    sha256: { type: "string", value: "HEX", describe: "its digest; needed for a URL" },
  },
  async run({ instance, positionals, options, json, terminal }) {
    const text = (name: string) => options[name] === undefined ? undefined : String(options[name]);
    const origin = modelOrigin(only(positionals, "FILE or URL"), text("name"), text("sha256"));
    const progress = lineProgress((line) => terminal.err(line), () => performance.now());
    const model = await addModel(instance.state, origin, progress);
    if (json) terminal.json(model);
    else terminal.out(`${model.name}  ${model.digest}`);
    return Exit.ok;
  },
};

export const use: Command = {
  name: "model use",
  summary: "make a model the default; a running daemon takes it at its next start",
  usage: "NAME",
  example: "sudo vei model use smollm2-135m",
  async run({ instance, positionals, json, terminal }) {
    const model = await useModel(instance.state, only(positionals, "NAME"));
    if (json) terminal.json(model);
    else terminal.out(`default is now ${model.name}  ${model.digest}`);
    return Exit.ok;
  },
};
