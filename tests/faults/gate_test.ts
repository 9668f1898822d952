/** The gate changes behind the daemon's back: tap down, virtual machine dead, told, exit not 0. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { isAlive } from "../../enclave/processes.ts";
import { openLibraries } from "../../ffi/native.ts";
import { deleteInterface, setMac, setUp } from "../../ffi/netdev.ts";
import { XdpLink } from "../../ffi/xdp_link.ts";
import { Box, until } from "../tools/daemon.ts";
import { processesOf } from "../tools/left_overs.ts";

openLibraries();

/** Within this time all has to be shut, however busy the machine. */
const SHUT_MS = 3000;

interface Loss {
  /** What somebody with root's rights does, from inside the link namespace. */
  change(box: Box): void;
  /** What the daemon says of it. */
  says: RegExp;
  /** It happens to a daemon that is ready; otherwise while the virtual machine boots. */
  inService?: true;
  tapGone?: true;
}

const LOSSES: Record<string, Loss> = {
  "our link is detached": {
    change(box) {
      box.gate.excuse(); // From that moment on until the watch sees it.
      using link = XdpLink.fromPin(`${box.instance.pins}/link`);
      link.detach();
    },
    says: /GATE LOST: The diode is not as it was raised: the link was detached/,
    inService: true,
  },
  "our pin is removed": {
    change: (box) => Deno.removeSync(`${box.instance.pins}/link`),
    says: /GATE LOST: The diode is not as it was raised: .*link/,
  },
  "the tap is set down": {
    change: (box) => setUp(box.instance.tap, false),
    says: /GATE LOST: The link .* state is down, not up/,
  },
  "the tap gets another hardware address": {
    change: (box) => setMac(box.instance.tap, "02:00:00:00:00:99"),
    says: /GATE LOST: .*hardware address is 02:00:00:00:00:99, not /,
  },
  "the tap is deleted": {
    change: (box) => deleteInterface(box.instance.tap),
    says: /GATE LOST: The diode is not as it was raised: the link was detached, or its interface/,
    tapGone: true,
  },
};

for (const [name, { change, says, inService, tapGone }] of Object.entries(LOSSES)) {
  Deno.test(`${name} while ${inService ? "serving" : "booting"}: gate lost`, async () => {
    await using box = await Box.make();
    const daemon = box.serve();
    if (inService) await daemon.ready();
    const qemu = await daemon.booting();
    assert(box.tap()!.up && box.tap()!.xdpProgramId !== null && isAlive(qemu), daemon.log);

    const begun = performance.now();
    box.inside(() => change(box));
    await until(
      "tap down and QEMU dead",
      () => box.tap()?.up || isAlive(qemu) ? null : true,
      { ms: SHUT_MS, log: () => daemon.log },
    );
    console.log(`shut after ${Math.round(performance.now() - begun)} ms`);

    const { code } = await daemon.end(20_000);
    assert(code !== 0 && code < 128, `exit code ${code}`);
    assertMatch(daemon.log, says);
    assertMatch(daemon.log, /tap down, virtual machine killed/);
    assertEquals(daemon.log.match(/ready after/g)?.length ?? 0, inService ? 1 : 0);
    assertEquals(processesOf(box.instance), []);
    assertEquals(box.tap()?.up, tapGone ? undefined : false);

    // The operator starts it again: whatever was left is mended, raised anew or taken over.
    const again = box.serve();
    await again.booting();
    assert(box.tap()!.up && box.tap()!.xdpProgramId !== null);
    assertEquals((await again.stop()).code, 0);
  });
}
