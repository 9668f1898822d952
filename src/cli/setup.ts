/** `vei setup`: guest image and model. */
import { setUp } from "../../enclave/setup.ts";
import { lineProgress } from "../../enclave/progress.ts";
import { Exit } from "../base/errors.ts";
import { checkFormat } from "../store/format.ts";
import type { Command } from "./command.ts";
import { modelOrigin } from "./model.ts";

export const command: Command = {
  name: "setup",
  summary: "build the guest's image and get the model; the image is made of Debian packages",
  usage: "[--model FILE | --model URL --sha256 HEX] [--update] [--check]",
  example: "sudo vei setup",
  options: {
    model: { type: "string", value: "FILE", describe: "a GGUF file or URL instead of SmolLM2" },
    name: { type: "string", value: "NAME", describe: "what to call it (default: the file's name)" },
    sha256: { type: "string", value: "HEX", describe: "its digest; needed for a URL" },
    mirror: { type: "string", value: "URL", describe: "a Debian mirror (default: this host's)" },
    update: { type: "boolean", describe: "build the image anew from the newest packages" },
    check: { type: "boolean", describe: "read every byte; make anew what is damaged" },
  },
  async run({ instance, options, json, terminal }) {
    const text = (name: string) => options[name] === undefined ? undefined : String(options[name]);
    const from = text("model");
    checkFormat(instance.state);
    const result = await setUp(instance.state, {
      model: from === undefined ? undefined : modelOrigin(from, text("name"), text("sha256")),
      mirror: text("mirror"),
      update: options.update === true,
      check: options.check === true,
    }, lineProgress((line) => terminal.err(line), () => performance.now()));
    const { image, model, changed, differences } = result;
    if (json) {
      terminal.json({
        state: instance.state,
        changed,
        image: { digest: image.digest, manifest: image.manifest, differences },
        model,
      });
    } else {
      terminal.out(`image  ${image.digest}`);
      terminal.out(`model  ${model.digest}  ${model.name}`);
    }
    return Exit.ok;
  },
};
