/** What the kernel says of a network interface, its addresses and neighbours (rtnetlink(7)). */
import { formatIpv4, formatMac } from "../src/base/ipv4.ts";
import { cstring, errno, errnoName, type Fd, lazyLibrary, Struct, SystemError } from "./native.ts";
import { netlinkRequest, netlinkSocket, NLM, readAttributes, withAttributes } from "./netlink.ts";

const libc = lazyLibrary("libc.so.6", {
  // int poll(struct pollfd *fds, nfds_t nfds, int timeout);
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32", nonblocking: true },
  // ssize_t recv(int sockfd, void *buf, size_t len, int flags);
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
}, "VEI needs glibc");

const RTM_NEWLINK = 16, RTM_GETLINK = 18, RTM_GETADDR = 22, RTM_GETNEIGH = 30;
const IFLA_ADDRESS = 1, IFLA_IFNAME = 3, IFLA_MTU = 4, IFLA_MASTER = 10, IFLA_LINKINFO = 18;
const IFLA_CARRIER = 33, IFLA_XDP = 43;
const IFLA_INFO_KIND = 1, IFLA_INFO_DATA = 2;
const IFLA_XDP_ATTACHED = 2, IFLA_XDP_PROG_ID = 4;
const TUN = { owner: 1, group: 2, type: 3, pi: 4, vnetHdr: 5, persist: 6, multiQueue: 7 } as const;
const IFF_UP = 1;
const RTMGRP_LINK = 1;
const AF_INET = 2;
const XDP_MODES = ["none", "native", "generic", "offloaded", "several"] as const;

/** What is particular to a tun or tap device (IFLA_INFO_DATA of kind `tun`). */
export interface TunState {
  /** True: a tap (Ethernet frames); false: a tun. */
  tap: boolean;
  packetInfo: boolean;
  vnetHdr: boolean;
  persist: boolean;
  multiQueue: boolean;
  /** Numeric user that may attach without CAP_NET_ADMIN; null: nobody. */
  owner: number | null;
  group: number | null;
}

export interface LinkState {
  index: number;
  name: string;
  /** The kernel's flag IFF_UP: set by an administrator. */
  up: boolean;
  /** For a tap: somebody holds it open. */
  carrier: boolean;
  /** `xx:xx:xx:xx:xx:xx`; empty where the interface has none. */
  mac: string;
  /** Bytes. */
  mtu: number;
  /** e.g. `tun`, `veth`; empty for lo and hardware. */
  kind: string;
  /** Number of the bridge, bond or the like that it is a port of, null when of none. */
  master: number | null;
  tun: TunState | null;
  xdpMode: typeof XDP_MODES[number];
  /** Id of the attached XDP program, null when there is none (or several). */
  xdpProgramId: number | null;
}

/**
 * @returns the interface of this name in the calling thread's namespace, null when there is none.
 * @throws SystemError
 */
export function linkState(name: string): LinkState | null {
  const body = withAttributes(new Uint8Array(16), [[IFLA_IFNAME, cstring(name)]]);
  try {
    const [answer] = netlinkRequest(RTM_GETLINK, 0, body, `Cannot read the state of ${name}`);
    return answer === undefined ? null : decodeLink(answer.body);
  } catch (error) {
    if (error instanceof SystemError && error.errno === "ENODEV") return null;
    throw error;
  }
}

/** @returns every interface of the calling thread's namespace. */
export function allLinks(): LinkState[] {
  return netlinkRequest(RTM_GETLINK, NLM.dump, new Uint8Array(16), "Cannot list the interfaces")
    .filter(({ type }) => type === RTM_NEWLINK).map(({ body }) => decodeLink(body));
}

/** @param body an ifinfomsg (16 bytes) and its attributes. */
function decodeLink(body: Uint8Array): LinkState {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const attributes = readAttributes(body, 16);
  const info = readAttributes(attributes.get(IFLA_LINKINFO) ?? new Uint8Array());
  const kind = text(info.get(IFLA_INFO_KIND));
  const xdp = readAttributes(attributes.get(IFLA_XDP) ?? new Uint8Array());
  const mac = attributes.get(IFLA_ADDRESS);
  return {
    index: view.getInt32(4, true),
    name: text(attributes.get(IFLA_IFNAME)),
    up: (view.getUint32(8, true) & IFF_UP) !== 0,
    carrier: u8(attributes.get(IFLA_CARRIER)) === 1,
    mac: mac?.length === 6 ? formatMac(mac) : "",
    mtu: u32(attributes.get(IFLA_MTU)) ?? 0,
    kind,
    master: u32(attributes.get(IFLA_MASTER)),
    tun: kind === "tun" ? decodeTun(info.get(IFLA_INFO_DATA) ?? new Uint8Array()) : null,
    xdpMode: XDP_MODES[u8(xdp.get(IFLA_XDP_ATTACHED)) ?? 0] ?? "several",
    xdpProgramId: u32(xdp.get(IFLA_XDP_PROG_ID)),
  };
}

function decodeTun(data: Uint8Array): TunState {
  const attributes = readAttributes(data);
  const flag = (type: number) => u8(attributes.get(type)) === 1;
  return {
    tap: u8(attributes.get(TUN.type)) === 2,
    packetInfo: flag(TUN.pi),
    vnetHdr: flag(TUN.vnetHdr),
    persist: flag(TUN.persist),
    multiQueue: flag(TUN.multiQueue),
    owner: u32(attributes.get(TUN.owner)),
    group: u32(attributes.get(TUN.group)),
  };
}

export interface AddressState {
  local: string;
  /** The other end of a point-to-point address; equal to `local` otherwise. */
  peer: string;
  prefix: number;
}

/** @returns the IPv4 addresses of an interface. @param index from `linkState`. */
export function addressesOf(index: number): AddressState[] {
  const header = new Uint8Array([AF_INET, 0, 0, 0, 0, 0, 0, 0]);
  return netlinkRequest(RTM_GETADDR, NLM.dump, header, "Cannot list the addresses")
    .filter(({ body }) => body[0] === AF_INET && u32(body.subarray(4, 8)) === index)
    .map(({ body }) => {
      const attributes = readAttributes(body, 8);
      const peer = attributes.get(1) ?? new Uint8Array(4); // IFA_ADDRESS
      const local = attributes.get(2) ?? peer; // IFA_LOCAL
      return { local: formatIpv4(local), peer: formatIpv4(peer), prefix: body[1]! };
    });
}

export interface NeighbourState {
  ip: string;
  mac: string;
  permanent: boolean;
}

/** @returns the IPv4 neighbour (ARP) table of an interface. @param index from `linkState`. */
export function neighboursOf(index: number): NeighbourState[] {
  const header = new Uint8Array(12);
  header[0] = AF_INET;
  return netlinkRequest(RTM_GETNEIGH, NLM.dump, header, "Cannot list the neighbours")
    .filter(({ body }) => body[0] === AF_INET && u32(body.subarray(4, 8)) === index)
    .map(({ body }) => {
      const attributes = readAttributes(body, 12);
      const mac = attributes.get(2); // NDA_LLADDR
      return {
        ip: formatIpv4(attributes.get(1) ?? new Uint8Array(4)), // NDA_DST
        mac: mac?.length === 6 ? formatMac(mac) : "",
        permanent: (body[8]! & 0x80) !== 0, // ndm_state, NUD_PERMANENT
      };
    });
}

function u8(bytes: Uint8Array | undefined): number | null {
  return bytes?.[0] ?? null;
}

function u32(bytes: Uint8Array | undefined): number | null {
  if (bytes === undefined || bytes.length < 4) return null;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

function text(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : new TextDecoder().decode(bytes).replace(/\0.*$/s, "");
}

const POLLIN = 1;
const MSG_DONTWAIT = 0x40;

/**
 * Says when any interface changes in the namespace that the calling thread was in when this was
 * made (multicast group RTMGRP_LINK). The socket stays in that namespace.
 */
export class LinkEvents implements Disposable {
  private readonly socket: Fd = netlinkSocket(RTMGRP_LINK);
  // Kept by the object: poll runs on another thread while we go on.
  private readonly pollfd = new Struct(8).i32(0, this.socket.number).u16(4, POLLIN);
  private waiting: Promise<boolean> | undefined;
  private disposed = false;

  /**
   * Waits for a change without blocking the event loop.
   * @param ms at most so long.
   * @returns true when something changed (the messages are discarded: read the state anew), false
   * when the time was up or this was disposed of meanwhile. One wait at a time.
   */
  wait(ms: number): Promise<boolean> {
    if (this.disposed) return Promise.resolve(false);
    this.waiting ??= this.poll(ms).finally(() => {
      this.waiting = undefined;
      if (this.disposed) this.socket.close();
    });
    return this.waiting;
  }

  private async poll(ms: number): Promise<boolean> {
    const ready = await libc().poll(this.pollfd.bytes, 1n, ms);
    if (this.disposed || ready <= 0) return false;
    const buffer = new Uint8Array(65536);
    while (Number(libc().recv(this.socket.number, buffer, 65536n, MSG_DONTWAIT)) > 0);
    // ENOBUFS: messages were lost, which also means that something changed; the next wait goes on.
    const name = errnoName(errno());
    return name === "EAGAIN" || name === "ENOBUFS";
  }

  /** Takes effect at once; the descriptor is closed when the wait in progress has ended. */
  [Symbol.dispose](): void {
    this.disposed = true;
    if (this.waiting === undefined) this.socket.close();
  }
}
