/**
 * The image that the tests last ran against. Debian's packages move on: another image is not
 * refused, but exact answers and boot times were not seen with it.
 */
import type { Manifest } from "./manifest.ts";

export const TESTED = {
  /** The image's name: the digest of its manifest. */
  image: "7b78085cf7d305fbe736ce2af4a81f3ad2d3096c1b3447b6bf2691efb4639e67",
  recipe: "7063c54c1555b2f5a87f9039adeb0a94f466be4ff340c0a0bf44979f94c0252b",
  packages: {
    "busybox-static": "1:1.38.0-3+b1",
    "libc6": "2.43-7",
    "libgcc-s1": "16.2.0-3",
    "libggml0": "0.27.0-1",
    "libgomp1": "16.2.0-3",
    "libllama0": "1:0.7.0+dfsg-2",
    "libssl3t64": "3.6.5-1",
    "libstdc++6": "16.2.0-3",
    "libzstd1": "1.5.7+dfsg-4",
    "linux-binary-7.2.12+deb14-cloud-amd64": "7.2.12-1",
    "linux-modules-7.2.12+deb14-cloud-amd64": "7.2.12-1",
    "llama.cpp-tools": "1:0.7.0+dfsg-2",
    "zlib1g": "1:1.3.dfsg+really1.3.2-3",
  } as Record<string, string>,
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
