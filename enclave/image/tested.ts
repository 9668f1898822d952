/**
 * The image that the tests last ran against. Debian's packages move on: another image is not
 * refused, but exact answers and boot times were not seen with it.
 */
import type { Manifest } from "./manifest.ts";

export const TESTED = {
  /** The image's name: the digest of its manifest. */
  image: "0000000000000000000000000000000000000000000000000000000000000000",
  recipe: "0000000000000000000000000000000000000000000000000000000000000000",
  packages: {} as Record<string, string>,
};

/** @returns a line for each package that differs, or one when only the result does; else none. */
export function differencesFromTested(
  image: { digest: string; manifest: Manifest },
  tested: typeof TESTED = TESTED,
): string[] {
  if (image.digest === tested.image) return [];
  const lines: string[] = [];
  const versions = new Map(image.manifest.packages.map(({ name, version }) => [name, version]));
  for (const [name, version] of Object.entries(tested.packages)) {
    const used = versions.get(name);
    if (used !== version) lines.push(`${name} is ${used ?? "not used"}; tested was ${version}`);
  }
  for (const [name, version] of versions) {
    if (!Object.hasOwn(tested.packages, name)) {
      lines.push(`${name} ${version} was not in the tests`);
    }
  }
  if (lines.length > 0) return lines;
  return [
    `the packages are the tested ones, but the image is ${image.digest.slice(0, 12)} instead of ` +
    `${tested.image.slice(0, 12)} (this host's squashfs-tools may be another)`,
  ];
}
