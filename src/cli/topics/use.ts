/** `vei help config`, `exit-codes`, `files`, `instance`, `receipts` and `failures`. */
import { configText } from "../../base/config_reference.ts";
import { EXIT_MEANINGS } from "../../base/errors.ts";
import { wrapped } from "../../base/wrap.ts";
import { FAILURES } from "./failures.ts";
import { FILES } from "./files.ts";
import { columns, type Topic } from "./topic.ts";

export const config: Topic = {
  name: "config",
  summary: "every key of vei.toml, with its default",
  text: () =>
    `vei reads /etc/NAME/vei.toml (NAME is the instance, most often vei), or ~/.config/NAME/vei.toml for
a user that is not root. A key that is left out has its default; an unknown key is an error.

${configText()}`,
};

export const exitCodes: Topic = {
  name: "exit-codes",
  summary: "what vei's exit codes tell a script",
  text: () =>
    `${columns(Object.entries(EXIT_MEANINGS).map(([code, means]) => [code.padStart(2), means]))}

With --json an error is {"error": {"code", "message", "hint", "exit"}} on standard output.`,
};

export const files: Topic = {
  name: "files",
  summary: "where vei keeps what it has",
  text: () => columns(FILES),
};

export const instance: Topic = {
  name: "instance",
  summary: "several of them on one machine, and where their state is",
  text: () =>
    `An instance is a daemon with everything that belongs to it; its name (at most 12 lower-case letters
and digits, \`vei\` by default) decides its tap, namespaces, pins and folders. Two instances share
nothing, and every command takes --instance NAME.

  vei serve --instance lab --config lab.toml    another [api] listen, another [link] host and guest
  vei status --instance lab

--state DIR takes another state folder: keys, receipts, images and models. One process at a time
writes to a state folder; commands that only read work beside it.

\`vei help files\` lists the paths.`,
};

export const receipts: Topic = {
  name: "receipts",
  summary: "what a receipt proves, and how to check one",
  text: () =>
    `Every exchange leaves one signed receipt, the refused and broken-off ones too, and so do packets
that the kernel dropped outside of a request. It binds the digests of the prompt, the answer, the
policy, the model, the virtual machine, the diode and vei itself, what the verdict was, and what of
these was missing. No text of prompts or answers is in it.

  vei receipt list                           the receipts of this node
  vei receipt export ID --out receipt.json   one of them, as a DSSE envelope
  vei receipt key                            the key that they are checked with: tell it to others
  vei verify --key HEX receipt.json          VALID (exit 0), INVALID (1) or UNVERIFIABLE (2)

Checking needs no daemon, no root and no network. Without --key, \`vei verify\` trusts the keys in
/etc/vei/trusted_keys. The log only grows: a daemon that finds it damaged, or its key replaced, does
not start.`,
};

export const failures: Topic = {
  name: "failures",
  summary: "every error's code; `vei help CODE` explains one",
  text: () =>
    FAILURES.map(([title, failures]) =>
      `${title}:\n${
        failures.map(({ codes, means }) =>
          wrapped(`${codes.join(", ")}: ${means}`, 96, "  ", "    ").join("\n")
        ).join("\n")
      }`
    ).join("\n\n") + "\n\n`vei help CODE` says what to do.",
};
