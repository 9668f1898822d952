/**
 * What the guest is made of. Package versions float with Debian's signed index; this file and the
 * guest's scripts are the rest of the input, and `recipeDigest` names them.
 */
import { sha256 } from "../../src/base/bytes.ts";
import { canonicalJson } from "../../src/base/canonical.ts";
import init from "../guest/init.sh" with { type: "text" };
import serve from "../guest/serve.sh" with { type: "text" };

/** The guest's first program (initial RAM disk) and its only job (root). */
export const GUEST_SCRIPTS = { init, serve } as const;

export const RECIPE = {
  format: 1,
  /** The Debian release that has llama.cpp. */
  suite: "forky",
  component: "main",
  architecture: "amd64",
  /** Each with the shared libraries that it depends on. */
  packages: ["busybox-static", "llama.cpp-tools", "libggml0"],
  /** A meta-package: it depends on the newest kernel. */
  kernel: "linux-image-cloud-amd64",
  /** Where they exist as modules, and after those that they depend on; the rest is built in. */
  modules: ["virtio_pci", "virtio_mmio", "virtio_blk", "virtio_net", "squashfs"],
  busybox: "usr/bin/busybox",
  programs: ["usr/bin/llama-server"],
  /**
   * Loaded by name at run time, so not found by the loader's rules. One CPU backend only, the one
   * that every x86-64 processor runs alike: exact answers depend on it.
   */
  plugins: ["usr/lib/x86_64-linux-gnu/ggml/backends0/libggml-cpu-x64.so"],
  libraryFolders: ["usr/lib/x86_64-linux-gnu", "usr/lib"],
  loader: "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
} as const;

/** @returns the digest of everything besides the packages that decides what the image is. */
export function recipeDigest(): Promise<string> {
  const text = canonicalJson({ recipe: RECIPE, scripts: GUEST_SCRIPTS });
  return sha256(new TextEncoder().encode(text));
}
