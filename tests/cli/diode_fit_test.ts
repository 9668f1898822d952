/** A diode that does not let the model server speak is refused before anything is made. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openLibraries } from "../../ffi/native.ts";
import { type Instance, instanceOf } from "../../src/host/instance.ts";
import { leftOvers } from "../tools/left_overs.ts";
import { freshName, vei } from "../tools/vei.ts";

openLibraries();

/** A state folder with a configuration in it, and `vei` on it in a network namespace of its own. */
class Place implements AsyncDisposable {
  readonly instance: Instance;

  private constructor(private readonly folder: string) {
    this.instance = instanceOf(freshName(), { state: `${folder}/state` });
  }

  static async make(): Promise<Place> {
    return new Place(await Deno.makeTempDir({ prefix: "vei-fit-" }));
  }

  async run(verb: string, diode: string, ...more: string[]) {
    const config = `${this.folder}/vei.toml`;
    await Deno.writeTextFile(config, `[diode]\nname = "${diode}"\n`);
    const { name, state } = this.instance;
    const place = ["--instance", name, "--state", state, "--config", config];
    return await vei([verb, ...place, ...more], { wrap: ["unshare", "--net"] });
  }

  file(predicate: string): string {
    const path = `${this.folder}/own.toml`;
    const text = `name = "own"\ndescription = "a test's"\nscope = "packet"\n`;
    Deno.writeTextFileSync(path, `${text}predicate = '${predicate}'\n`);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const left = await leftOvers(this.instance);
    await Deno.remove(this.folder, { recursive: true });
    assertEquals(left, []);
  }
}

Deno.test("vei serve ends with 78 and the byte, before anything is made", async () => {
  await using place = await Place.make();
  for (
    const [diode, says] of [
      [
        "minimal",
        "`minimal` refuses byte 16, CR, of the model server's greeting, after \"HTTP/1.1",
      ],
      ["json_start", '`json_start` refuses byte 1, "H", of the model server\'s greeting'],
      ["json", "of the model server's streamed answer"],
      [place.file('not contains "[DONE]"'), "`own` refuses byte "],
    ]
  ) {
    const { code, stdout, stderr } = await place.run("serve", diode);
    assertEquals([code, stdout], [78, ""], stderr);
    assertStringIncludes(stderr, says);
    assertMatch(stderr, /\[diode-unfit\]\n +.*`vei diode attach`/);
  }
});

Deno.test("vei doctor says so too, and lets the others be", async () => {
  await using place = await Place.make();
  const need = async (diode: string) => {
    const { stdout, stderr } = await place.run("doctor", diode, "--json");
    assertEquals(stderr, "");
    const { needs } = JSON.parse(stdout);
    return needs.find(({ id }: { id: string }) => id === "diode");
  };
  const unfit = await need("printable64");
  assertEquals(unfit.result, "no");
  assertMatch(unfit.found, /`printable64` refuses byte 16, CR/);
  assertEquals((await need("text")).result, "yes");
});
