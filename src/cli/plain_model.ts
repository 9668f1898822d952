/** Models that are not in our virtual machine, as the command line names them. */
import { mockModel } from "../model/mock.ts";
import type { Model } from "../model/model.ts";
import { urlModel } from "../model/url.ts";
import type { CommandContext, Option } from "./command.ts";
import { usageError } from "./usage.ts";

/** The options that name such a model. */
export const MODEL_OPTIONS: Record<string, Option> = {
  model: {
    ...{ type: "string", value: "mock|URL", describe: "this model, without virtual machine" },
    complete: ["mock"],
  },
  name: { type: "string", value: "NAME", describe: "the model's name at that URL" },
};

/** @returns null where no model is named. @throws VeiError `usage`, `model-url`. */
export function plainModel(options: CommandContext["options"]): Model | null {
  const { model } = options;
  if (model === undefined) return null;
  if (model === "mock") return mockModel();
  if (/^https?:/.test(String(model))) {
    return urlModel(String(model), String(options.name ?? "default"));
  }
  throw usageError(
    `${JSON.stringify(model)} is neither "mock" nor an http address`,
    "--model mock, or --model http://127.0.0.1:8000/v1",
  );
}
