/** A tap behind a diode in a network namespace of the test's own; we play the guest. */
import {
  addNeighbour,
  addPeer,
  disableIpv6,
  interfaceIndex,
  setMac,
  setUp,
} from "../../ffi/netdev.ts";
import { createNetns, removeNetns, withNetns } from "../../ffi/netns.ts";
import { PacketSocket } from "../../ffi/packet_socket.ts";
import { Tap } from "../../ffi/tap.ts";
import { XdpLink } from "../../ffi/xdp_link.ts";
import type { Judgement } from "../../src/automaton/judgement.ts";
import type { JudgeLink } from "../judge/link_rules.ts";
import { LoadedDiode, rulesOf } from "./loaded_diode.ts";

export class TapWorld implements Disposable {
  readonly tap: Tap;
  readonly diode: LoadedDiode;
  /** Hears what the host's network stack is given. */
  readonly ear: PacketSocket;
  private readonly netns: string;
  private guard?: XdpLink;
  private readonly owned: DisposableStack;

  constructor(judgement: Judgement, link: JudgeLink) {
    using opened = new DisposableStack();
    const letters = crypto.getRandomValues(new Uint8Array(8)).map((byte) => 97 + byte % 26);
    const name = "t" + String.fromCharCode(...letters);
    this.netns = `/run/netns/${name}`;
    createNetns(this.netns);
    opened.defer(() => removeNetns(this.netns));
    this.diode = opened.use(new LoadedDiode(judgement, link));
    const { hostMac, hostIp, guestIp, guestMac } = rulesOf(link);
    [this.tap, this.ear] = this.inside(() => {
      setUp("lo", true);
      const tap = opened.use(Tap.open(name, { persist: false }));
      disableIpv6(name);
      setMac(name, hostMac);
      const ifindex = interfaceIndex(name);
      this.guard = opened.use(XdpLink.attach(this.diode.program, ifindex));
      setUp(name, true);
      addPeer(name, hostIp, guestIp);
      addNeighbour(name, guestIp, guestMac);
      return [tap, opened.use(PacketSocket.open(ifindex))];
    });
    this.owned = opened.move();
  }

  /** Runs `work` in the world's namespace. */
  inside<T>(work: () => T): T {
    return withNetns(this.netns, work);
  }

  /** Takes the diode off the tap, to see what it keeps out. */
  unguard(): void {
    this.guard?.detach();
  }

  /** Takes what the host sent to the guest, so that the tap's queue does not fill. */
  discardSent(): void {
    while (this.tap.read() !== null);
  }

  [Symbol.dispose](): void {
    this.owned.dispose();
  }
}
