/** What a key of the configuration may hold, and what it means: schema, kind and words in one. */
import * as v from "valibot";
import { parseDuration, parseSize } from "./bytes.ts";
import { parseIpv4 } from "./ipv4.ts";

const parses = (read: (text: string) => unknown, what: string) =>
  v.pipe(
    v.string(),
    v.check((text) => {
      try {
        read(text);
        return true;
      } catch {
        return false;
      }
    }, `must be ${what}`),
    v.metadata({ kind: what }),
  );

export const size = parses(parseSize, 'a size such as "1 MiB"');
export const duration = parses(parseDuration, 'a time such as "60 s"');
export const ipv4 = parses(parseIpv4, 'an IPv4 address such as "172.30.0.1"');
export const listen = v.pipe(
  v.string(),
  v.regex(
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}:\d{1,5}$/,
    'must be a loopback address and port such as "127.0.0.1:8787"',
  ),
  v.metadata({ kind: 'a loopback address and port such as "127.0.0.1:8787"' }),
);
export const name = v.pipe(
  v.string(),
  v.minLength(1, "must not be empty"),
  v.metadata({ kind: "a name, or a path" }),
);
/** Host names. */
export const names = v.pipe(
  v.array(name),
  v.minLength(1),
  v.metadata({ kind: "a list of names, at least one" }),
);
/** Names, perhaps none. */
export const anyNames = v.pipe(v.array(name), v.metadata({ kind: "a list of names and paths" }));
/** Of a systemd credential (systemd.exec(5)); "" for none. */
export const credential = v.pipe(
  v.string(),
  v.regex(/^(?!\.)[A-Za-z0-9._-]{0,64}$/, "must be a credential's name, without a slash"),
  v.metadata({ kind: "a credential's name, or nothing" }),
);
export const flag = v.pipe(v.boolean(), v.metadata({ kind: "true or false" }));

/** A whole number from `least` to `most`. */
export const count = (least: number, most: number) =>
  v.pipe(
    v.number(),
    v.integer(),
    v.minValue(least),
    v.maxValue(most),
    v.metadata({ kind: `a whole number from ${least} to ${most}` }),
  );

/** One of these words. */
export const oneOf = <const Words extends readonly string[]>(...words: Words) =>
  v.pipe(v.picklist(words), v.metadata({ kind: words.map((word) => `"${word}"`).join(", ") }));

/** `"auto"`, or what the schema says. */
export const autoOr = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.pipe(
    v.union([v.literal("auto"), schema]),
    v.metadata({ kind: `"auto", or ${kindOf(schema)}` }),
  );

/**
 * One key of a table.
 * @param fallback its default. It must be a value that the schema takes.
 * @param describe one sentence for people, without a final full stop.
 */
export function key<const Schema extends v.GenericSchema>(
  schema: Schema,
  fallback: v.InferInput<Schema>,
  describe: string,
): v.OptionalSchema<Schema, v.InferInput<Schema>> {
  // A description changes nothing of what is taken; said so, because the types get lost in it.
  const described = v.pipe(schema, v.description(describe)) as unknown as Schema;
  return v.optional(described, fallback) as v.OptionalSchema<Schema, v.InferInput<Schema>>;
}

/** A table of the configuration; each of its keys has a default, so that it may be left out. */
export function table<const Keys extends v.ObjectEntries>(describe: string, keys: Keys) {
  const plain = v.strictObject(keys);
  const described = v.pipe(plain, v.description(describe)) as unknown as typeof plain;
  return v.optional(described, {} as v.InferInput<typeof plain>);
}

/** @returns the words on what values a schema takes, or "" where it has none. */
export function kindOf(schema: v.GenericSchema): string {
  const { kind } = v.getMetadata(schema as never) as { kind?: unknown };
  return typeof kind === "string" ? kind : "";
}
