/**
 * Two minutes of HTTP through a guarded veth pair, its diode replaced a hundred times: not one
 * forbidden byte. $VEI_SOAK_SECONDS sets another duration.
 */
import { openLibraries } from "../../ffi/native.ts";
import { replaceUnderLoad } from "../tools/replace_under_load.ts";

openLibraries();
console.log(JSON.stringify(
  await replaceUnderLoad(Number(Deno.env.get("VEI_SOAK_SECONDS") ?? 120)),
));
