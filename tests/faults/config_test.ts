/** What the operator got wrong, and what is missing or damaged in the state folder: 78, and nothing made. */
import { assertEquals, assertMatch } from "@std/assert";
import { openLibraries } from "../../ffi/native.ts";
import { Box } from "../tools/daemon.ts";
import { testState } from "../tools/state.ts";

openLibraries();

Deno.test("an unknown key in the configuration", async () => {
  await using box = await Box.make();
  const config = "[enclave]\nmemroy = '128 MiB'\n";
  const said = await box.refuses(78, "config-invalid", { config });
  assertMatch(said, /unknown key enclave\.memroy[^]*keys of this table: .*memory/);
});

Deno.test("a configuration that is no TOML: told with line and column", async () => {
  await using box = await Box.make();
  const said = await box.refuses(78, "config-invalid", { config: "[api]\nlisten = 127.0.0.1:1\n" });
  assertMatch(said, /vei\.toml:2:\d+: /);
});

Deno.test("an instance's own configuration is read where it belongs", async () => {
  await using box = await Box.make();
  const path = box.instance.config;
  const folder = path.slice(0, path.lastIndexOf("/"));
  try {
    await Deno.mkdir(folder);
    await Deno.writeTextFile(path, "[log]\nlevle = 'info'\n");
    assertMatch(await box.refuses(78, "config-invalid"), /unknown key log\.levle/);
    await Deno.remove(path);
    await Deno.mkdir(path);
    assertMatch(await box.refuses(78, "config-unreadable"), /mend its permissions/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a configuration that is named but cannot be read is no reason for the defaults", async () => {
  await using box = await Box.make();
  const path = `${box.instance.state}/missing.toml`;
  const ran = await box.vei(["serve", "--config", path]);
  assertEquals(ran.code, 78);
  assertMatch(ran.stderr, /missing\.toml.*\[config-unreadable\]\n +name a file/);
});

Deno.test("an unknown diode, and a diode's file that is not there", async () => {
  await using box = await Box.make();
  const config = (name: string) => `[diode]\nname = "${name}"\n`;
  const unknown = await box.refuses(78, "diode-unknown", { config: config("hatefull") });
  assertMatch(unknown, /shipped: .*hateless/);
  const path = `${box.instance.state}/none.toml`;
  assertMatch(await box.refuses(78, "diode-unreadable", { config: config(path) }), /none\.toml/);
});

Deno.test("a diode's file with an error: told with line and column", async () => {
  await using box = await Box.make();
  const path = `${box.instance.state}/mine.toml`;
  const write = (predicate: string) =>
    Deno.writeTextFile(
      path,
      `name = "mine"\ndescription = "a test"\nscope = "packet"\npredicate = ${predicate}\n`,
    );
  const config = `[diode]\nname = "${path}"\n`;
  await write(`'not contain "hate" within 512'`);
  assertMatch(
    await box.refuses(78, "diode-invalid", { config }),
    /mine\.toml:4:18: expected a predicate/,
  );
  await write(`not closed`);
  assertMatch(await box.refuses(78, "diode-invalid", { config }), /mine\.toml:4:\d+: /);
});

Deno.test("no image", async () => {
  await using box = await Box.make({ image: false });
  assertMatch(await box.refuses(78, "image-missing"), /run `vei setup`/);
});

Deno.test("an image with one byte changed, whichever file it is in", async () => {
  await using box = await Box.make({ image: false });
  const from = `${await testState()}/images`;
  const digest = await Deno.readLink(`${from}/current`);
  const to = `${box.instance.state}/images`;
  await Deno.mkdir(`${to}/${digest}`, { recursive: true });
  await Deno.symlink(digest, `${to}/current`);
  const names = ["kernel", "initrd", "root.squashfs", "manifest.json"];
  for (const name of names) {
    await Deno.symlink(`${from}/${digest}/${name}`, `${to}/${digest}/${name}`);
  }
  for (const name of names) {
    const path = `${to}/${digest}/${name}`;
    await Deno.remove(path);
    const bytes = await Deno.readFile(`${from}/${digest}/${name}`);
    bytes[bytes.length >> 1] ^= 1;
    await Deno.writeFile(path, bytes);
    assertMatch(await box.refuses(78, "image-damaged"), /vei setup --check/, name);
    await Deno.remove(path);
    await Deno.symlink(`${from}/${digest}/${name}`, path);
  }
});

Deno.test("no model, a model that is gone, and one with one byte changed", async () => {
  await using none = await Box.make({ model: null });
  assertMatch(await none.refuses(78, "model-unknown"), /run `vei setup`/);
  await using box = await Box.make();
  const unknown = await box.refuses(78, "model-unknown", { config: "[enclave]\nmodel = 'huge'\n" });
  assertMatch(unknown, /there are: tiny/);
  const folder = `${box.instance.state}/models`;
  const { name } = [...Deno.readDirSync(folder)].find(({ name }) => name.endsWith(".gguf"))!;
  const bytes = await Deno.readFile(`${folder}/${name}`);
  bytes[bytes.length - 1] ^= 1;
  await Deno.writeFile(`${folder}/${name}`, bytes);
  assertMatch(await box.refuses(78, "model-damaged"), /its digest is another/);
  await Deno.writeFile(`${folder}/${name}`, bytes.subarray(1));
  assertMatch(await box.refuses(78, "model-damaged"), /bytes instead of/);
  await Deno.remove(`${folder}/${name}`);
  assertMatch(await box.refuses(78, "model-missing"), /run `vei setup`/);
});
