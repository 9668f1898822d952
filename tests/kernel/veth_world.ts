/**
 * A veth pair from a box to a container, each a network namespace of its own, and a server in the
 * container that says whatever it is sent. ARP does not pass a diode: the neighbours are permanent.
 */
import { addNeighbour, addPeer, disableIpv6, interfaceIndex, macOf } from "../../ffi/netdev.ts";
import { deleteInterface, setUp } from "../../ffi/netdev.ts";
import { netlinkRequest, NLM, withAttributes } from "../../ffi/netlink.ts";
import { createNetns, removeNetns, withNetns } from "../../ffi/netns.ts";
import { randomName } from "./net_support.ts";

const RTM_NEWLINK = 16;
const IFLA_IFNAME = 3, IFLA_LINKINFO = 18, IFLA_NET_NS_FD = 28;
const IFLA_INFO_KIND = 1, IFLA_INFO_DATA = 2, VETH_INFO_PEER = 1;

const encoder = new TextEncoder();
const cstring = (text: string) => encoder.encode(text + "\0");

export const BOX_IP = "10.77.0.1";
export const CONTAINER_IP = "10.77.0.2";
export const PORT = 8080;

export class VethWorld implements Disposable {
  private readonly name = randomName();
  /** Paths of the namespaces. */
  readonly box = `/run/netns/${this.name}b`;
  readonly container = `/run/netns/${this.name}c`;
  /** The box's end, which a diode guards. */
  readonly outer = `${this.name}o`;
  /** The container's end. */
  readonly inner = `${this.name}i`;
  private readonly owned: DisposableStack;

  /** @param neighbours false: each end has to ask for the other's hardware address. */
  constructor(private readonly neighbours = true) {
    using made = new DisposableStack();
    for (const path of [this.box, this.container]) {
      createNetns(path);
      made.defer(() => removeNetns(path));
    }
    this.connect();
    const server = made.adopt(
      withNetns(this.container, () => Deno.listen({ hostname: "0.0.0.0", port: PORT })),
      (server) => server.close(),
    );
    made.use(echo(server));
    this.owned = made.move();
  }

  /** Makes the pair, both ends up. */
  connect(): void {
    using far = Deno.openSync(this.container);
    this.inside(() => addVeth(this.outer, this.inner, descriptorOf(far, this.container)));
    const ends = [
      [this.box, this.outer, BOX_IP, CONTAINER_IP],
      [this.container, this.inner, CONTAINER_IP, BOX_IP],
    ];
    const macs = ends.map(([path, name]) => withNetns(path, () => macOf(name)));
    ends.forEach(([path, name, own, peer], i) => {
      withNetns(path, () => {
        disableIpv6(name);
        setUp(name, true);
        addPeer(name, own, peer);
        if (this.neighbours) addNeighbour(name, peer, macs[1 - i]);
      });
    });
  }

  /** Takes the pair away: both ends go. */
  disconnect(): void {
    this.inside(() => interfaceIndex(this.outer) !== 0 && deleteInterface(this.outer));
  }

  /** Runs `work` in the box. */
  inside<T>(work: () => T): T {
    return withNetns(this.box, work);
  }

  /** Runs `work` in the container. */
  insideContainer<T>(work: () => T): T {
    return withNetns(this.container, work);
  }

  /**
   * Sends a text to the container and waits for it to come back.
   * @returns what came within `ms`.
   */
  async ask(text: string, ms = 1500): Promise<string> {
    const signal = AbortSignal.timeout(ms);
    let connection;
    try {
      const there = { hostname: CONTAINER_IP, port: PORT, signal };
      connection = await this.inside(() => Deno.connect(there));
    } catch (error) {
      if (signal.aborted) return "";
      throw error;
    }
    const late = () => connection.close();
    signal.addEventListener("abort", late);
    let said = "";
    try {
      await connection.write(encoder.encode(text));
      const buffer = new Uint8Array(4096);
      while (said.length < text.length) {
        const size = await connection.read(buffer);
        if (size === null) break;
        said += new TextDecoder().decode(buffer.subarray(0, size));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", late);
      if (!signal.aborted) connection.close();
    }
    return said;
  }

  [Symbol.dispose](): void {
    this.disconnect();
    this.owned.dispose();
  }
}

/** Serves until the listener is closed. @returns ends the connections that are left. */
function echo(server: Deno.Listener): Disposable {
  const open = new Set<Deno.Conn>();
  (async () => {
    for await (const connection of server) {
      open.add(connection);
      connection.readable.pipeTo(connection.writable).catch(() => {})
        .finally(() => open.delete(connection));
    }
  })();
  return {
    [Symbol.dispose]() {
      for (const connection of open) {
        try {
          connection.close();
        } catch {
          // Its pipe has closed it at this moment.
        }
      }
    },
  };
}

/** @returns the number of our descriptor of a file that is open once. */
function descriptorOf(_held: Deno.FsFile, path: string): number {
  const { dev, ino } = Deno.statSync(path);
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      const info = Deno.statSync(`/proc/self/fd/${name}`);
      if (info.dev === dev && info.ino === ino) return Number(name);
    } catch {
      // The descriptor of the folder itself, or a pipe that ended.
    }
  }
  throw new Error(`${path} is not open`);
}

/** Makes a veth pair (rtnetlink(7)): one end here, the other in the namespace of a descriptor. */
function addVeth(name: string, peer: string, netns: number): void {
  const number = new Uint8Array(4);
  new DataView(number.buffer).setInt32(0, netns, true);
  const far = withAttributes(new Uint8Array(16), [
    [IFLA_IFNAME, cstring(peer)],
    [IFLA_NET_NS_FD, number],
  ]);
  const data = withAttributes(new Uint8Array(), [[VETH_INFO_PEER, far]]);
  const info = withAttributes(new Uint8Array(), [
    [IFLA_INFO_KIND, cstring("veth")],
    [IFLA_INFO_DATA, data],
  ]);
  const body = withAttributes(new Uint8Array(16), [
    [IFLA_IFNAME, cstring(name)],
    [IFLA_LINKINFO, info],
  ]);
  netlinkRequest(RTM_NEWLINK, NLM.create | NLM.exclusive, body, `Cannot make ${name}`);
}
