/** What the commands about diodes share. */
import { Exit, VeiError } from "../base/errors.ts";
import type { Instance } from "../host/instance.ts";

export function noDiode(instance: Instance): VeiError {
  return new VeiError({
    code: "diode-absent",
    message: `No diode of the instance ${instance.name} is pinned`,
    hint: "`vei serve` attaches one before it starts the virtual machine, `vei diode attach` to " +
      "any interface",
    exit: Exit.noInput,
  });
}
