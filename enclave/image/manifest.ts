/** What an image is: its inputs and its files. The digest of this text is the image's name. */
import * as v from "valibot";

const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const FileSchema = v.strictObject({
  sha256: digest,
  size: v.pipe(v.number(), v.integer(), v.minValue(1)),
});

const Schema = v.strictObject({
  format: v.literal(1),
  /** Digest of the recipe and of the guest's scripts. */
  recipe: digest,
  suite: v.string(),
  /** The kernel's release, as `uname -r` says it in the guest. */
  kernel: v.string(),
  packages: v.array(v.strictObject({ name: v.string(), version: v.string(), sha256: digest })),
  files: v.strictObject({
    kernel: FileSchema,
    initrd: FileSchema,
    "root.squashfs": FileSchema,
  }),
});

export type Manifest = v.InferOutput<typeof Schema>;

/** Names of an image's files besides its manifest. */
export const IMAGE_FILES = ["kernel", "initrd", "root.squashfs"] as const;

/** @throws SyntaxError for anything that is not a manifest of this version. */
export function parseManifest(text: string): Manifest {
  const result = v.safeParse(Schema, JSON.parse(text));
  if (!result.success) {
    throw new SyntaxError(`Cannot read the manifest: ${result.issues[0].message}`);
  }
  return result.output;
}
