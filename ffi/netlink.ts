/**
 * rtnetlink requests and their answers, as bytes (netlink(7), rtnetlink(7)). Only what VEI asks of
 * the kernel about interfaces; meaning is given to the bytes in `rtnetlink.ts` and `netdev.ts`.
 */
import { Exit, VeiError } from "../src/base/errors.ts";
import { Fd, lazyLibrary, Struct, SystemError, unwrap } from "./native.ts";

const libc = lazyLibrary("libc.so.6", {
  // int socket(int domain, int type, int protocol);
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen);
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  // ssize_t send(int sockfd, const void *buf, size_t len, int flags);
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  // ssize_t recv(int sockfd, void *buf, size_t len, int flags);
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
}, "VEI needs glibc");

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_ROUTE = 0;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const MSG_TRUNC = 0x20;
const HEADER = 16;
const ANSWER_SECONDS = 5n;

/** Message types and flags that more than one file needs (linux/rtnetlink.h, linux/netlink.h). */
export const NLM = {
  request: 1,
  ack: 4,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
};
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_DUMP_INTR = 0x10;

/** One answer: its type and what follows the 16-byte header. */
export interface NetlinkMessage {
  type: number;
  body: Uint8Array;
}

/**
 * A netlink socket of the namespace that the calling thread is in now.
 * @param groups bit mask of multicast groups to hear, 0 for none.
 */
export function netlinkSocket(groups = 0): Fd {
  const number = unwrap(
    libc().socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE),
    "Cannot open a netlink socket",
  );
  const fd = new Fd(number);
  try {
    const timeout = new Struct(16).u64(0, ANSWER_SECONDS).bytes;
    unwrap(libc().setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, timeout, 16), "setsockopt");
    const address = new Struct(12).u16(0, AF_NETLINK).u32(8, groups).bytes;
    unwrap(libc().bind(number, address, 12), "Cannot bind a netlink socket");
    return fd;
  } catch (error) {
    fd.close();
    throw error;
  }
}

/**
 * Sends one request and collects every answer to it, in the calling thread's namespace.
 * @param flags of NLM, besides `request`; without `dump`, `ack` is added so that an end is known.
 * @param body what follows the header, e.g. an ifinfomsg and attributes.
 * @param what for the error's message, e.g. `Cannot set vei0 up`.
 * @throws SystemError the kernel's own errno.
 */
export function netlinkRequest(
  type: number,
  flags: number,
  body: Uint8Array,
  what: string,
): NetlinkMessage[] {
  for (let attempt = 0;; attempt++) {
    using socket = netlinkSocket();
    const dump = (flags & NLM.dump) === NLM.dump;
    const message = new Struct(HEADER + body.length)
      .u32(0, HEADER + body.length).u16(4, type)
      .u16(6, flags | NLM.request | (dump ? 0 : NLM.ack)).u32(8, 1)
      .set(HEADER, body).bytes;
    unwrap(Number(libc().send(socket.number, message, BigInt(message.length), 0)), what);
    const answer = receive(socket.number, what);
    // A dump that the kernel says was interrupted by a change may lack an interface: ask again.
    if (!answer.interrupted) return answer.messages;
    if (attempt === 4) throw malformed(what, "it changed while it was being read");
  }
}

function receive(fd: number, what: string): { messages: NetlinkMessage[]; interrupted: boolean } {
  const messages: NetlinkMessage[] = [];
  const buffer = new Uint8Array(65536);
  let interrupted = false;
  while (true) {
    const size = unwrap(Number(libc().recv(fd, buffer, BigInt(buffer.length), MSG_TRUNC)), what);
    if (size > buffer.length) throw malformed(what, `an answer of ${size} bytes`);
    for (const { type, flags, body } of split(buffer.slice(0, size), what)) {
      if ((flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
      if (type === NLMSG_ERROR || type === NLMSG_DONE) {
        const code = body.length >= 4
          ? new DataView(body.buffer, body.byteOffset).getInt32(0, true)
          : 0;
        if (code < 0) throw new SystemError(what, -code, hintOf(-code));
        return { messages, interrupted };
      }
      messages.push({ type, body });
    }
  }
}

function hintOf(number: number): string {
  return number === 1 || number === 13 ? "run as root (CAP_NET_ADMIN in this namespace)" : "";
}

function* split(bytes: Uint8Array, what: string) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + HEADER <= bytes.length;) {
    const length = view.getUint32(at, true);
    if (length < HEADER || at + length > bytes.length) throw malformed(what, "a lying length");
    yield {
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      body: bytes.subarray(at + HEADER, at + length),
    };
    at += align(length);
  }
}

function malformed(what: string, why: string): VeiError {
  return new VeiError({
    code: "netlink-malformed",
    message: `${what}: the kernel's answer cannot be used: ${why}`,
    exit: Exit.io,
  });
}

const align = (length: number) => (length + 3) & ~3;

/** @returns attribute type (without its flag bits) → value, for the attributes from `at` on. */
export function readAttributes(bytes: Uint8Array, at = 0): Map<number, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = new Map<number, Uint8Array>();
  while (at + 4 <= bytes.length) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.length) break;
    found.set(view.getUint16(at + 2, true) & 0x3fff, bytes.subarray(at + 4, at + length));
    at += align(length);
  }
  return found;
}

/** @returns fixed header followed by attributes, each padded to four bytes. */
export function withAttributes(
  header: Uint8Array,
  attributes: [type: number, value: Uint8Array][],
): Uint8Array<ArrayBuffer> {
  const size = attributes.reduce((sum, [, v]) => sum + align(4 + v.length), align(header.length));
  const message = new Struct(size).set(0, header);
  let at = align(header.length);
  for (const [type, value] of attributes) {
    message.u16(at, 4 + value.length).u16(at + 2, type).set(at + 4, value);
    at += align(4 + value.length);
  }
  return message.bytes;
}
