/** The node's signing key: made once, 0600, in PKCS#8 PEM (RFC 8410), so `openssl pkey` reads it. */
import { base64, unbase64 } from "../base/base64.ts";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { pkcs8Of, seedOf, type SigningKey, signingKey } from "../receipt/keys.ts";

const HEAD = "-----BEGIN PRIVATE KEY-----\n";
const FOOT = "\n-----END PRIVATE KEY-----\n";

function refuse(code: string, message: string, hint: string, cause?: unknown): VeiError {
  return new VeiError({ code, message, hint, exit: Exit.config, cause });
}

/**
 * @param path of the key file.
 * @param options `mayMake`: false once there are receipts, which another key must not continue;
 * `random`: 32 bytes for a new key.
 * @throws VeiError `key-missing`, `key-mode`, `key-unreadable` (exit 78).
 */
export async function loadNodeKey(
  path: string,
  options: { mayMake: boolean; random(count: number): Uint8Array },
): Promise<SigningKey> {
  let text: string;
  try {
    const { mode, isFile } = await Deno.lstat(path);
    if (!isFile) throw refuse("key-unreadable", `${path} is not a file`, "put the key back there");
    if ((mode! & 0o077) !== 0) {
      const hint = `others could have read it: chmod 600 ${path}, if you still trust it`;
      throw refuse("key-mode", `The key ${path} is open to others`, hint);
    }
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof VeiError) throw cause;
    if (!(cause instanceof Deno.errors.NotFound)) {
      const message = `Cannot read the key ${path}: ${messageOf(cause)}`;
      throw refuse("key-unreadable", message, "run as the user that owns it", cause);
    }
    if (options.mayMake) return await makeKey(path, options.random(32));
    throw refuse(
      "key-missing",
      `The key ${path} is gone, but there are receipts signed with it`,
      "restore it from a copy, or move receipts.log and kv.db away to begin anew",
    );
  }
  return await keyOf(text, path);
}

async function keyOf(text: string, path: string): Promise<SigningKey> {
  try {
    if (!text.startsWith(HEAD) || !text.endsWith(FOOT)) throw new SyntaxError("no PEM");
    return await signingKey(seedOf(unbase64(text.slice(HEAD.length, -FOOT.length))));
  } catch (cause) {
    const message = `The key ${path} is not an Ed25519 key in PKCS#8 PEM`;
    throw refuse("key-unreadable", message, "restore it from a copy", cause);
  }
}

/**
 * Reads the key that a service manager hands to this process alone (systemd.exec(5), Credentials).
 * @param folder $CREDENTIALS_DIRECTORY, undefined when there is none. @param name of the credential.
 * @throws VeiError `key-missing`, `key-unreadable` (exit 78).
 */
export async function loadCredentialKey(
  folder: string | undefined,
  name: string,
): Promise<SigningKey> {
  const hint = `hand it to the service: LoadCredential=${name}:/path in its unit, or as ` +
    `/etc/credstore/${name} where the unit names it; the key's form is that of node.key`;
  if (folder === undefined) {
    throw refuse("key-missing", `There is no credential ${name}: no service started us`, hint);
  }
  const path = `${folder}/${name}`;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    throw refuse(
      missing ? "key-missing" : "key-unreadable",
      missing ? `The service was given no credential ${name}` : `Cannot read the key ${path}`,
      hint,
      cause,
    );
  }
  return await keyOf(text, path);
}

async function makeKey(path: string, seed: Uint8Array): Promise<SigningKey> {
  const temporary = `${path}.new`;
  const text = HEAD + base64(pkcs8Of(seed)) + FOOT;
  await Deno.remove(temporary).catch(() => {});
  {
    using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  }
  await Deno.rename(temporary, path);
  using folder = await Deno.open(path.slice(0, path.lastIndexOf("/")) || "/");
  await folder.sync();
  return await signingKey(seed);
}
