/** The state folder: whether it can hold receipts, and what is in it. */
import { statfsSync } from "node:fs";
import { messageOf, VeiError } from "../base/errors.ts";
import { exists } from "../host/missing.ts";
import { sign, signingKey, verify } from "../receipt/keys.ts";
import { checkFormat, STATE_FORMAT } from "../store/format.ts";
import { loadNodeKey } from "../store/node_key.ts";
import { tryStore } from "../store/probe.ts";
import { currentImage, namedImage } from "../../enclave/images.ts";
import { recipeDigest } from "../../enclave/image/recipe.ts";
import { modelByName } from "../../enclave/models.ts";
import { type Check, Lacking, type Place } from "./need.ts";
import { keyPath, publicKeyPath } from "./node.ts";
import { stateKey } from "./trusted.ts";

const MB = 1e6;
/** Receipts for a long while, and the index. */
const ROOM_MB = 64;
/** Packages, the image and the model while set-up makes them. */
const SETUP_MB = 500;
/** This program is younger than that. */
const EARLIEST = Date.UTC(2025, 0, 1);
const DAY_MS = 86_400_000;

const UNREAD = "its bytes were not read: --deep reads them";

export const STATE_CHECKS: readonly Check[] = [
  {
    id: "state-folder",
    group: "state",
    wanted: "a place where a receipt stays, once it is written",
    needed: true,
    means: "no request is answered, because its receipt could not be kept",
    mend: "mount it writable and mend the disk, or choose another place with --state DIR",
    find: ({ instance: { state }, root }) => tryFolder(state, root),
  },
  {
    id: "disk-space",
    group: "state",
    wanted: `${ROOM_MB} MB for receipts; ${SETUP_MB} MB as long as there is no image or model`,
    needed: true,
    means: "set-up cannot finish, or no request is answered any more",
    mend: "free some space, or choose another place with --state DIR",
    async find(place) {
      const { bavail, bsize, files, ffree } = statfsSync(await existing(place.instance.state));
      const free = Math.floor(bavail * bsize / MB);
      const wanted = await isSetUp(place) ? ROOM_MB : SETUP_MB;
      // File systems without a table of files say 0 of 0.
      if (files > 0 && ffree === 0) throw new Lacking("no file can be made: no inode is free");
      if (free < wanted) throw new Lacking(`${free} MB are free, ${wanted} MB are wanted`);
      return `${free} MB are free`;
    },
  },
  {
    id: "key",
    group: "state",
    wanted: "the key that signs receipts, readable by its owner only",
    needed: true,
    means: "no receipt can be signed, so nothing is served",
    mend: "restore it from a copy",
    async find({ instance }) {
      const handed = await Deno.lstat(publicKeyPath(instance.state)).then(() => true, () => false);
      if (handed) {
        return `handed to the service, fingerprint ${(await stateKey(instance.state)).fingerprint}`;
      }
      const path = keyPath(instance);
      const receipts = await Deno.stat(`${instance.state}/receipts.log`)
        .then(({ size }) => size, () => 0);
      if (!await exists(path) && receipts === 0) return "none yet: the first start makes it";
      const random = () => new Uint8Array();
      const { publicKey } = await loadNodeKey(path, { mayMake: false, random });
      return `fingerprint ${publicKey.fingerprint}`;
    },
  },
  {
    id: "state-format",
    group: "state",
    wanted: "a state folder of a layout that this version knows",
    needed: true,
    means: "what a newer version wrote could be misread, so it is left alone",
    mend: "install the version of vei that used it last, or choose another place with --state DIR",
    async find({ instance: { state } }) {
      const path = `${state}/format`;
      if (!await exists(path)) return `none yet: the first start writes ${STATE_FORMAT}`;
      checkFormat(state);
      return String(STATE_FORMAT);
    },
  },
  {
    id: "image",
    group: "state",
    wanted: "the guest's image",
    needed: true,
    means: "there is nothing to boot",
    mend: "vei setup",
    async find({ instance, deep }) {
      const image = await (deep ? currentImage : namedImage)(instance.state);
      const other = image.manifest.recipe !== await recipeDigest();
      return `sha256:${image.digest}, ${deep ? "every byte of it read" : UNREAD}` +
        (other ? "; made by another version's recipe (`vei setup` makes it anew)" : "");
    },
  },
  {
    id: "model",
    group: "state",
    wanted: "the model's weights",
    needed: true,
    means: "there is nothing to ask",
    mend: "vei setup",
    async find({ instance, config, deep }) {
      const { model } = config.enclave;
      const { name, digest } = await modelByName(instance.state, model, { check: deep });
      return `${name}, sha256:${digest}, ${deep ? "every byte of it read" : UNREAD}`;
    },
  },
  {
    id: "signature",
    group: "state",
    wanted: "Ed25519 signatures",
    needed: true,
    means: "no receipt can be signed or checked",
    mend: "install vei again: its own runtime does not do what it should",
    async find() {
      const key = await signingKey(crypto.getRandomValues(new Uint8Array(32)));
      const message = new TextEncoder().encode("vei doctor");
      const signature = await sign(key, message);
      if (!await verify(key.publicKey, message, signature)) {
        throw new Lacking("a right signature was refused");
      }
      signature[0] ^= 1;
      if (await verify(key.publicKey, message, signature)) {
        throw new Lacking("a wrong signature was accepted");
      }
      return "signed and verified with a key of the moment; a changed signature was refused";
    },
  },
  {
    id: "clock",
    group: "state",
    wanted: "a clock that is about right: receipts carry its time",
    needed: true,
    means: "receipts would carry a time that is plainly wrong",
    mend: "timedatectl set-ntp true, or set it with date -s",
    async find({ instance }) {
      const now = Date.now();
      const text = new Date(now).toISOString();
      if (now < EARLIEST) throw new Lacking(`${text}: that is before this program was made`);
      const written = await Deno.stat(`${instance.state}/receipts.log`)
        .then(({ mtime }) => mtime?.getTime() ?? 0, () => 0);
      if (written > now + DAY_MS) {
        throw new Lacking(`${text}: receipts were written at ${new Date(written).toISOString()}`);
      }
      return text;
    },
  },
];

async function tryFolder(state: string, root: boolean): Promise<string> {
  const parent = await existing(state);
  let folder: string;
  try {
    folder = await Deno.makeTempDir({ dir: parent, prefix: ".vei-doctor-" });
  } catch (cause) {
    // Root may be refused by the file system only, and no other rights would help.
    if (cause instanceof Deno.errors.PermissionDenied && !root) throw cause;
    throw new Lacking(`nothing can be made in ${parent}: ${messageOf(cause)}`);
  }
  try {
    const ms = await tryStore(folder);
    return `${parent}: a file was synced and an index opened in ${ms} ms` +
      (parent === state ? "" : `; ${state} is not there yet`);
  } catch (cause) {
    // The hint of a log that cannot be written is for a daemon; ours is shorter.
    throw new Lacking(messageOf(cause).replaceAll(folder, parent));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** @returns the folder itself, or the nearest one above it that is there. */
async function existing(folder: string): Promise<string> {
  for (let path = folder; path !== ""; path = path.slice(0, path.lastIndexOf("/"))) {
    const found = await Deno.stat(path).catch((cause) => {
      if (cause instanceof Deno.errors.NotFound) return null;
      throw cause;
    });
    if (found?.isDirectory) return path;
    if (found) throw new Lacking(`${path} is not a folder`);
  }
  return "/";
}

async function isSetUp({ instance, config }: Place): Promise<boolean> {
  try {
    await namedImage(instance.state);
    await modelByName(instance.state, config.enclave.model);
    return true;
  } catch (cause) {
    if (cause instanceof VeiError) return false;
    throw cause;
  }
}
