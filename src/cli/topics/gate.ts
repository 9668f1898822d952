/** `vei help diodes`, `policies` and `security`. */
import {
  shippedDiode,
  shippedDiodes,
  shippedPolicies,
  shippedPolicy,
} from "../../../diodes/shipped.ts";
import { columns, type Topic } from "./topic.ts";

/** @returns the description in a shipped file, whose text we know to be TOML of one form. */
function describe(text: string): string {
  return /^description = (["'])(.*)\1$/m.exec(text)?.[2].replaceAll('\\"', '"') ?? "";
}

export const diodes: Topic = {
  name: "diodes",
  summary: "the rule that the kernel enforces on every packet",
  text: () =>
    `A diode is a predicate on the payload of each packet that leaves the virtual machine. vei makes a
table of it, and a program in the kernel drops every packet that the table does not accept, or that
is not exactly the TCP traffic expected on the wire. It outlives the daemon: only root takes it away
(\`vei diode detach\`), and the tap goes down first.

[diode] name in vei.toml takes one of these, or the path of a file:

${columns(shippedDiodes().map((name) => [name, describe(shippedDiode(name))]))}

or policy: and a policy's name or path, for those of its rules that single packets can be held to;
\`vei diode check policy:secrets\` lists them, and those that the monitor alone enforces.

A file of your own has four keys:

${indented(shippedDiode("hateless"))}

A diode judges each packet by itself: a word that is split over two packets passes it. The monitor,
which sees the whole answer, is the other half (\`vei help policies\`).

  sudo vei diode status     what the kernel itself shows of it
  sudo vei diode logs -f    what it drops, as it happens`,
};

export const policies: Topic = {
  name: "policies",
  summary: "what the monitor enforces on the text of answers",
  text: () =>
    `A policy says what an answer may not contain: words and regular expressions that are forbidden, what
the whole of it must be (a JSON text, say), and limits. The monitor looks at the answer's text as a
whole, holds back just the bytes that may yet become part of a violation, and ends the answer before
one is complete. The receipt says which rule it was and where. Rules with
\`applies_to = ["input"]\` are asked of the prompt, before the model sees it.

[policy] default in vei.toml takes one of these, an installed one, or the path of a file:

${columns(shippedPolicies().map((name) => [name, describe(shippedPolicy(name))]))}

A file of your own looks like this, with as many rules as you like:

${indented(shippedPolicy("hateless"))}

A request may choose another one that [policy] allow lists, by the header VEI-Policy with its name
(\`vei ask --policy NAME\`); any other is refused, and the receipt names the one that judged.

A list of rules as JSON, [{"id","type":"deny_regex","pattern","description"}], is understood too.

  vei policy list               those that are shipped and installed, and the default
  vei policy init NAME          begin one of your own, with comments
  vei policy check NAME.toml    its examples; what each rule holds back, where it is enforced, and a
                                shortest text that it forbids
  vei policy diff A B           a shortest text that tells two policies apart, or \`equivalent\`
  vei filter NAME < FILE        try it on a text, or on the output of any program

A file /etc/vei/policies/NAME.toml is a policy called NAME, before a shipped one of that name. \`vei
install\` lays the shipped ones there and never overwrites one that you changed: a newer version's
is laid beside it, as NAME.toml.default.
The monitor is a part of the daemon, not of the kernel: \`vei help diodes\` tells of that half.`,
};

export const security: Topic = {
  name: "security",
  summary: "what you trust, what you need not, and the limits",
  text: () =>
    `You trust your kernel (its XDP, its verifier, its namespaces), root on the machine and whoever holds
CAP_BPF or CAP_NET_ADMIN, vei's own source, and the Deno runtime that it is compiled with.

You need not trust the model, its weights, the server that runs it, or the virtual machine's kernel.
QEMU has its own user, empty namespaces, and no file, socket or process of the machine: a way out of
the guest into QEMU finds the tap, whose frames pass the diode, and nothing else.

What is not claimed:
  - What is allowed can carry a message: timing, lengths, the choice of harmless words. A diode
    bounds what gets out; it does not make a hostile model honest.
  - A receipt proves what the holder of the node's key stated, in order and without later change.
    That the operator told the truth it cannot prove.
  - The watch over the diode guards against mistakes of root, not against root.
  - \`--model mock\` and \`--model URL\` have neither virtual machine nor kernel gate; every receipt
    says so.

There is no option that opens the gate when something fails: then the tap stays down.`,
};

function indented(text: string): string {
  return text.trimEnd().split("\n").map((line) => line === "" ? "" : `    ${line}`).join("\n");
}
