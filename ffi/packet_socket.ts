/** A raw socket that sees every frame an interface hands to the host (packet(7)). */
import { errno, errnoName, Fd, lazyLibrary, Struct, unwrap } from "./native.ts";

const libc = lazyLibrary("libc.so.6", {
  // int socket(int domain, int type, int protocol);
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen);
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  // ssize_t recv(int sockfd, void *buf, size_t len, int flags);
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
}, "VEI needs glibc");

const AF_PACKET = 17;
const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;
const SOL_SOCKET = 1, SO_RCVBUFFORCE = 33;
const SOL_PACKET = 263, PACKET_IGNORE_OUTGOING = 23;
/** ETH_P_ALL (3) in network order. */
const EVERY_PROTOCOL = 0x0300;
const LONGEST = 1 << 17;

/** Receives what comes in on one interface, after XDP; never what the host sends. */
export class PacketSocket implements Disposable {
  private readonly buffer = new Uint8Array(LONGEST);

  private constructor(private readonly owned: Fd) {}

  /**
   * @param ifindex an interface of this thread's network namespace.
   * @param bufferBytes how much may wait before frames are lost.
   * @throws SystemError
   */
  static open(ifindex: number, bufferBytes = 1 << 24): PacketSocket {
    // Protocol 0: nothing is received before the bind, from any other interface in particular.
    const number = unwrap(
      libc().socket(AF_PACKET, SOCK_RAW_CLOEXEC_NONBLOCK, 0),
      "Cannot open a packet socket",
      "run as root (it takes CAP_NET_RAW)",
    );
    const owned = new Fd(number);
    try {
      const set = (level: number, option: number, value: number) =>
        unwrap(
          libc().setsockopt(number, level, option, new Struct(4).i32(0, value).bytes, 4),
          "Cannot set up a packet socket",
        );
      set(SOL_SOCKET, SO_RCVBUFFORCE, bufferBytes);
      set(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
      // struct sockaddr_ll: family@0 protocol@2 ifindex@4
      const address = new Struct(20).u16(0, AF_PACKET).u16(2, EVERY_PROTOCOL).i32(4, ifindex);
      unwrap(libc().bind(number, address.bytes, 20), `Cannot listen on interface ${ifindex}`);
      return new PacketSocket(owned);
    } catch (error) {
      owned.close();
      throw error;
    }
  }

  /** @returns the next frame, null when none is waiting. */
  receive(): Uint8Array<ArrayBuffer> | null {
    const size = Number(libc().recv(this.owned.number, this.buffer, BigInt(LONGEST), 0));
    if (size < 0 && errnoName(errno()) === "EAGAIN") return null;
    return this.buffer.slice(0, unwrap(size, "Cannot receive from a packet socket"));
  }

  [Symbol.dispose](): void {
    this.owned.close();
  }
}
