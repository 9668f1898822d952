/** The policy `secrets`, by the monitor itself: each kind is found, and what is none is let by. */
import { assert, assertEquals } from "@std/assert";
import { base64 } from "../src/base/base64.ts";
import { hex } from "../src/base/bytes.ts";
import { compileMonitor } from "../src/gate/compile_monitor.ts";
import { readPolicy } from "../src/policy/policy_text.ts";
import { seeded } from "../tests/judge/random.ts";
import { sourceFiles } from "../tests/style/files.ts";
import { inPieces } from "../tests/tools/cuts.ts";
import { shippedPolicy } from "./shipped.ts";

const SEED = Number(Deno.env.get("VEI_SEED") ?? 20261205);
/** Debian's base-files has them on every machine. */
const LICENSES = "/usr/share/common-licenses";

const policy = readPolicy(shippedPolicy("secrets"), "secrets");
const { program } = compileMonitor(policy, "output");

/** @returns the rule that a text breaks, or null. */
function broken(text: string): string | null {
  const { violation } = inPieces(program, new TextEncoder().encode(text), []);
  return violation && program.rules[violation.rule];
}

/** @returns the text that gives a secret of each rule away, to its last character. */
function samples(): [rule: string, text: string][] {
  return policy.forbid.map(({ id }) => {
    const { text, at } = policy.examples.find(({ rule }) => rule === id)!;
    return [id, new TextDecoder().decode(new TextEncoder().encode(text).slice(0, at! + 1))];
  });
}

Deno.test("each of 25 kinds and more is found, in a sentence and in code", () => {
  const all = samples();
  assert(all.length >= 25, `${all.length}`);
  for (const [id, text] of all) {
    for (const around of ["", "The key is ", "key=", '{"key": "', "`", "é "]) {
      assertEquals(broken(`${around}${text}" and more`), id, around + text);
    }
  }
});

Deno.test("each kind has its counter-examples: cut short, parted, another prefix", () => {
  for (const [id, text] of samples()) {
    const half = text.length >> 1;
    const others = [
      text.slice(0, -1),
      `${text.slice(0, -1)} `,
      `${text.slice(0, -1)}…${text.at(-1)}`,
      `${text.slice(0, half)} ${text.slice(half)}`,
      `${text.slice(0, half)}\u200b${text.slice(half)}`,
    ];
    for (const other of others) assertEquals(broken(other), null, `${id}: ${other}`);
  }
});

Deno.test("no false alarm in this project's files nor in the licences of free software", () => {
  const licenses = [...Deno.readDirSync(LICENSES)].filter(({ isFile }) => isFile)
    .map(({ name }) => ({
      path: name,
      text: new TextDecoder().decode(Deno.readFileSync(`${LICENSES}/${name}`)),
    }));
  assert(licenses.length > 5, `${licenses.length}`);
  const files = [...sourceFiles(), ...licenses];
  const alarms = files.flatMap(({ path, text }) => {
    const rule = broken(text);
    return rule === null ? [] : [`${path}: ${rule}`];
  });
  assertEquals(alarms, []);
});

Deno.test("no false alarm in images in base64, UUIDs, digests, numbers and names", () => {
  const random = seeded(SEED);
  const uuid = () => hex(random.bytes(16)).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  const sentences = [
    () => `![](data:image/png;base64,${base64(random.bytes(6000))})`,
    () => base64(random.bytes(900)).replaceAll("+", "-").replaceAll("/", "_"),
    () => base64(random.bytes(3000)).replace(/.{76}/g, "$&\n"),
    () => `urn:uuid:${uuid()}, ${uuid().toUpperCase()}`,
    () => `commit ${hex(random.bytes(20))}\nindex ${hex(random.bytes(4))}..${hex(random.bytes(4))}`,
    () => `sha256:${hex(random.bytes(32))} sha512-${base64(random.bytes(64))}`,
    () => `${random.below(1e9)}:${random.below(1e9)} at ${new Date(random.below(2 ** 31) * 1000)}`,
    () => `ssh-ed25519 ${base64(random.bytes(51))} ann@host`,
    () => `-----BEGIN CERTIFICATE-----\n${base64(random.bytes(600))}`,
    () => `const key_${hex(random.bytes(8))} = process.env.TOKEN_${hex(random.bytes(8))};`,
  ];
  for (let round = 0; round < 2000; round++) {
    const text = random.pick(sentences)();
    assertEquals(broken(text), null, `seed ${SEED} round ${round}: ${text.slice(0, 300)}`);
  }
});
