/** What the operator got wrong, and what is missing or damaged in the state folder: 78, and nothing made. */
import { assertEquals, assertMatch } from "@std/assert";
import { fault } from "./fault.ts";
import { testState } from "../tools/state.ts";

fault("an unknown key in the configuration", async (world) => {
  const box = await world.box();
  const config = "[enclave]\nmemroy = '128 MiB'\n";
  const said = await box.refuses(78, "config-invalid", { config });
  assertMatch(said, /unknown key enclave\.memroy[^]*keys of this table: .*memory/);
});

fault("a configuration that is no TOML", async (world) => {
  const box = await world.box();
  const said = await box.refuses(78, "config-invalid", { config: "[api]\nlisten = 127.0.0.1:1\n" });
  assertMatch(said, /vei\.toml:2:\d+: /);
});

fault("an instance's own configuration is damaged", async (world) => {
  const box = await world.box();
  const path = box.instance.config;
  const folder = path.slice(0, path.lastIndexOf("/"));
  try {
    await Deno.mkdir(folder);
    await Deno.writeTextFile(path, "[log]\nlevle = 'info'\n");
    assertMatch(
      await box.refuses(78, "config-invalid", { config: null }),
      /unknown key log\.levle/,
    );
    await Deno.remove(path);
    await Deno.mkdir(path);
    assertMatch(
      await box.refuses(78, "config-unreadable", { config: null }),
      /mend its permissions/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

fault("a configuration that cannot be read", async (world) => {
  const box = await world.box();
  const path = `${box.instance.state}/missing.toml`;
  const ran = await box.vei(["serve", "--config", path]);
  assertEquals(ran.code, 78);
  assertMatch(ran.stderr, /missing\.toml.*\[config-unreadable\]\n +name a file/);
});

fault("an unknown diode", async (world) => {
  const box = await world.box();
  const config = (name: string) => `[diode]\nname = "${name}"\n`;
  const unknown = await box.refuses(78, "diode-unknown", { config: config("hatefull") });
  assertMatch(unknown, /shipped: .*hateless/);
  const path = `${box.instance.state}/none.toml`;
  assertMatch(await box.refuses(78, "diode-unreadable", { config: config(path) }), /none\.toml/);
});

fault("a diode with an error", async (world) => {
  const box = await world.box();
  world.own("mine.toml");
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

fault("no image", async (world) => {
  const box = await world.box({ image: false });
  assertMatch(await box.refuses(78, "image-missing"), /run `vei setup`/);
});

fault("a damaged image", async (world) => {
  const box = await world.box({ image: false });
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

fault("a damaged model", async (world) => {
  const none = await world.box({ model: null });
  assertMatch(await none.refuses(78, "model-unknown"), /run `vei setup`/);
  const box = await world.box();
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
