/** The gate changes behind the daemon's back: tap down, virtual machine dead, told, exit not 0. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { isAlive } from "../../enclave/processes.ts";
import { deleteInterface, setMac, setUp } from "../../ffi/netdev.ts";
import { XDP } from "../../ffi/bpf_program.ts";
import { XdpLink } from "../../ffi/xdp_link.ts";
import { type Box, until } from "../tools/daemon.ts";
import { constantProgram } from "../kernel/bpf_support.ts";
import { addInterface, setMaster } from "../kernel/net_support.ts";
import { fault } from "./fault.ts";
import type { FaultName } from "./matrix.ts";
import { processesOf } from "../tools/left_overs.ts";

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
  /** What the operator has to put right before the next start. */
  mend?(): void;
}

const LOSSES: Partial<Record<FaultName, Loss>> = {
  "our link is detached": {
    change(box) {
      box.gate.excuse(); // From that moment on until the watch sees it.
      using link = XdpLink.fromPin(`${box.instance.pins}/link`);
      link.detach();
    },
    says: /GATE LOST: The diode is not as it was raised: the link was detached/,
    inService: true,
  },
  "our link is given another program": {
    change(box) {
      box.gate.excuse(); // That program lets everything pass, until the watch sees it.
      using link = XdpLink.fromPin(`${box.instance.pins}/link`);
      using program = constantProgram(XDP.pass);
      link.replace(program);
    },
    says: /GATE LOST: The diode is not as it was raised: the link runs program [0-9]+, not /,
  },
  "our pin is removed": {
    change: (box) => Deno.removeSync(`${box.instance.pins}/link`),
    says: /GATE LOST: The diode is not as it was raised: .*link/,
  },
  "the tap is set down by somebody else": {
    change: (box) => setUp(box.instance.tap, false),
    says: /GATE LOST: The link .* state is down, not up/,
  },
  "the tap gets another hardware address": {
    change: (box) => setMac(box.instance.tap, "02:00:00:00:00:99"),
    says: /GATE LOST: .*hardware address is 02:00:00:00:00:99, not /,
  },
  "the tap is put into a bridge": {
    change(box) {
      addInterface("br0", "bridge");
      setMaster(box.instance.tap, "br0");
    },
    says: /GATE LOST: The link .* bridge is [0-9]+, not none/,
    mend: () => deleteInterface("br0"),
  },
  "the tap is deleted": {
    change: (box) => deleteInterface(box.instance.tap),
    says: /GATE LOST: The diode is not as it was raised: the link was detached, or its interface/,
    tapGone: true,
  },
};

for (const [name, { change, says, inService, tapGone, mend }] of Object.entries(LOSSES)) {
  fault(name as FaultName, async (world) => {
    const box = await world.box();
    const daemon = inService ? await box.serving() : box.serve();
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

    if (mend) box.inside(mend);
    // The operator starts it again: whatever was left is mended, raised anew or taken over.
    const again = box.serve();
    await again.booting();
    assert(box.tap()!.up && box.tap()!.xdpProgramId !== null);
    assertEquals((await again.stop()).code, 0);
  });
}
