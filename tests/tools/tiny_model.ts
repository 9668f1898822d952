/** The tests' small model, installed as `vei setup` installs one. */
import { sha256File } from "../../enclave/digest.ts";
import { installModel } from "../../enclave/models.ts";
import { tinyGguf, type TinyModel } from "./tiny_gguf.ts";

/** Adds a small model to a state folder, under the name `tiny`. */
export async function addTiny(state: string, model: TinyModel): Promise<void> {
  const file = `${state}/new.gguf`;
  const bytes = tinyGguf(model);
  await Deno.writeFile(file, bytes);
  await installModel(state, {
    ...{ name: "tiny", source: "a test", licence: "none" },
    ...{ file, digest: await sha256File(file), size: bytes.length },
  });
}
