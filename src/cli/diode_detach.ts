/** `vei diode detach`: the interface goes down first, so the gate is never open. */
import { Exit, VeiError } from "../base/errors.ts";
import { detachDiode, readDiode } from "../../diodes/manager.ts";
import { interfaceIndex, setUp } from "../../ffi/netdev.ts";
import { netnsExists, withNetns } from "../../ffi/netns.ts";
import type { Instance } from "../host/instance.ts";
import type { Command } from "./command.ts";
import { noDiode } from "./diode_output.ts";
import { guardedInterface } from "./diode_place.ts";
import { lockInstance } from "./instance_lock.ts";
import { requireRoot } from "./privilege.ts";

export const command: Command = {
  name: "diode detach",
  summary: "take the diode away; refused while a daemon runs, and the interface goes down first",
  example: "sudo vei diode detach",
  run({ instance, json, terminal }) {
    requireRoot("vei diode detach");
    using _lock = lockInstance(instance);
    const diode = readDiode(instance.pins);
    if (!diode) throw noDiode(instance);
    const down = setDown(instance, diode);
    detachDiode(instance.pins);
    if (json) terminal.json({ detached: true, linkId: diode.linkId, down });
    else {
      terminal.out(
        `The diode of ${instance.name} is detached; ` +
          (down === instance.tap ? "its tap is down" : `${down ?? "its interface"} is ` +
            (down === null ? "gone" : "down")),
      );
      if (down !== null && down !== instance.tap) {
        terminal.out(`To use it without a diode: ip link set ${down} up`);
      }
    }
    return Promise.resolve(Exit.ok);
  },
};

/**
 * @returns the name of the interface that is down now; null when it is gone.
 * @throws VeiError `diode-elsewhere` when it is in a namespace that we do not know: then it could
 * not be set down, and would be open.
 */
function setDown(
  instance: Instance,
  diode: { ifindex: number; programId: number },
): string | null {
  const place = guardedInterface(instance, diode);
  if (place !== null) {
    const { name, netns } = place;
    if (netns === null) setUp(name, false);
    else withNetns(netns, () => setUp(name, false));
    return name;
  }
  if (diode.ifindex !== 0) {
    throw new VeiError({
      code: "diode-elsewhere",
      message: `The diode's interface ${diode.ifindex} is in another network namespace: ` +
        "it cannot be set down from here, and would be open",
      hint: "run the command in that namespace: nsenter --net=PATH vei diode detach",
      exit: Exit.tryAgain,
    });
  }
  // What it guarded is gone. The tap may have been made anew, and nothing guards that one.
  if (!netnsExists(instance.netns)) return null;
  return withNetns(instance.netns, () => {
    if (interfaceIndex(instance.tap) === 0) return null;
    setUp(instance.tap, false);
    return instance.tap;
  });
}
