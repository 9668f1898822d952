import { assertEquals, assertRejects } from "@std/assert";
import { VeiError } from "../base/errors.ts";
import { loadCredentialKey, loadNodeKey } from "./node_key.ts";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-credential-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const refused = async (folder: string | undefined, name: string) => {
  const error = await assertRejects(() => loadCredentialKey(folder, name), VeiError);
  return [error.code, error.exit];
};

Deno.test("a credential holds the same file as a state folder, in the service's own mode", async () => {
  await withFolder(async (folder) => {
    const random = (count: number) => new Uint8Array(count).fill(7);
    const made = await loadNodeKey(`${folder}/vei.key`, { mayMake: true, random });
    // systemd gives its user a right of its own, which shows as one of the group.
    await Deno.chmod(`${folder}/vei.key`, 0o440);
    const read = await loadCredentialKey(folder, "vei.key");
    assertEquals(read.publicKey.fingerprint, made.publicKey.fingerprint);
  });
});

Deno.test("a credential that is missing, or no key, is refused: no other key steps in", async () => {
  await withFolder(async (folder) => {
    assertEquals(await refused(folder, "vei.key"), ["key-missing", 78]);
    assertEquals(await refused(undefined, "vei.key"), ["key-missing", 78]);
    await Deno.writeTextFile(`${folder}/vei.key`, "secret\n");
    assertEquals(await refused(folder, "vei.key"), ["key-unreadable", 78]);
    assertEquals([...Deno.readDirSync(folder)].length, 1);
  });
});
