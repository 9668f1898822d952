import { assert, assertEquals, assertThrows } from "@std/assert";
import type { CompiledPolicy } from "../api/policy.ts";
import { type Config, defaultConfig } from "../base/config.ts";
import { VeiError } from "../base/errors.ts";
import type { ProvenDiode } from "../../diodes/proof.ts";
import { changedKeys, changeOf, type InForce, LIVE_KEYS } from "./in_force.ts";

type Tables = Record<string, Record<string, unknown>>;

/** @returns the defaults with other values for these keys, of whatever type. */
function altered(...keys: string[]): Config {
  const config = structuredClone(defaultConfig()) as unknown as Tables;
  for (const key of keys) {
    const [table, name] = key.split(".");
    config[table][name] = `${config[table][name]} and more`;
  }
  return config as unknown as Config;
}

const KEYS = Object.entries(defaultConfig()).flatMap(([table, keys]) =>
  Object.keys(keys).map((key) => `${table}.${key}`)
);

interface Parts {
  policy?: string;
  /** Digests by name. */
  allowed?: Record<string, string>;
  diode?: string | null;
}

function inForce(config: Config, parts: Parts = {}): InForce {
  const { policy = "1", allowed = {}, diode = "1" } = parts;
  return {
    config,
    configSha256: "1",
    policy: { sha256: policy } as CompiledPolicy,
    allowed: Object.entries(allowed).map(([name, sha256]) =>
      ({ policy: { name }, sha256 }) as CompiledPolicy
    ),
    diode: diode === null ? null : { digests: { source: diode } } as ProvenDiode,
  };
}

const before = inForce(defaultConfig());

Deno.test("every key of another value is found", () => {
  assertEquals(changedKeys(defaultConfig(), defaultConfig()), []);
  assertEquals(changedKeys(defaultConfig(), altered(...KEYS)), KEYS);
});

Deno.test("every key is either taken over or refused by name", () => {
  for (const key of LIVE_KEYS) assert(KEYS.includes(key), key);
  for (const key of KEYS) {
    const after = inForce(altered(key));
    if (LIVE_KEYS.has(key)) assertEquals(changeOf(before, after, "f")!.changed, [key]);
    else {
      const error = assertThrows(() => changeOf(before, after, "f"), VeiError, key);
      assertEquals([error.code, error.exit], ["config-needs-restart", 78]);
    }
  }
});

Deno.test("one key that needs a restart refuses all, and names all such keys", () => {
  const after = inForce(altered("log.level", "api.listen", "enclave.memory", "link.host"));
  assertThrows(
    () => changeOf(before, after, "f"),
    VeiError,
    "f changes api.listen, enclave.memory, link.host, which",
  );
});

Deno.test("files with another content under the same name, and words that change no value", () => {
  const { config } = before;
  const changed = (after: InForce) => changeOf(before, after, "f")?.changed ?? null;
  assertEquals(changed(inForce(config)), null);
  assertEquals(changed(inForce(config, { policy: "2", diode: "2" })), [
    "policy file",
    "diode file",
  ]);
  assertEquals(changed({ ...inForce(config), configSha256: "2" }), ["configuration file"]);
  const [a, b] = [{ one: "1", two: "2" }, { two: "3", three: "4" }];
  const between = (config: Config) =>
    changeOf(inForce(defaultConfig(), { allowed: a }), inForce(config, { allowed: b }), "f")!;
  assertEquals(between(config).changed, [
    "policy file one",
    "policy file two",
    "policy file three",
  ]);
  assertEquals(between(altered("policy.allow")).changed, ["policy.allow"]);
  assertEquals(between(config).allowed, [
    { name: "one", before: "1", after: null },
    { name: "two", before: "2", after: "3" },
    { name: "three", before: null, after: "4" },
  ]);
  assertEquals(changed({ ...inForce(config), configSha256: null }), ["configuration file"]);
});

Deno.test("without a virtual machine its tables mean nothing, now as at the start", () => {
  const plain = inForce(defaultConfig(), { diode: null });
  const after = inForce(altered("enclave.memory", "link.host", "diode.name"), { diode: null });
  assertEquals(changeOf(plain, after, "f"), null);
});
