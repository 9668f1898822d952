/** Messages to the service manager: datagrams over the socket that it names (sd_notify(3)). */
import { monotonicNs } from "./clock.ts";
import { errno, errnoName, Fd, lazyLibrary, Struct, unwrap } from "./native.ts";

const libc = lazyLibrary("libc.so.6", {
  // int socket(int domain, int type, int protocol);
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // ssize_t sendto(int sockfd, const void *buf, size_t len, int flags,
  //                const struct sockaddr *dest_addr, socklen_t addrlen);
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "isize" },
}, "VEI needs glibc");

const AF_UNIX = 1, SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000;
/** sizeof(sockaddr_un.sun_path). */
const PATH_BYTES = 108;

/** What is told, e.g. `{ READY: "1", STATUS: "ready" }`. */
export type Notice = Record<string, string>;

/**
 * The manager's socket. It belongs to the network namespace that the calling thread is in when it is
 * made, and an abstract address means that namespace's: so it is made before any setns.
 */
export class NotifySocket implements Disposable {
  private constructor(private readonly fd: Fd, private readonly address: Uint8Array<ArrayBuffer>) {}

  /**
   * @param name $NOTIFY_SOCKET: a path, or `@` and an abstract name.
   * @returns null without a name: nobody is to be told.
   * @throws VeiError SystemError; RangeError when the name is no address.
   */
  static open(name: string | undefined): NotifySocket | null {
    if (name === undefined || name === "") return null;
    const address = addressOf(name);
    const what = "Cannot make a socket for the service manager";
    return new NotifySocket(
      new Fd(unwrap(libc().socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0), what)),
      address,
    );
  }

  /**
   * Sends one message, without ever waiting.
   * @param notice a value's line ends become spaces.
   * @returns null, or the name of the error: nobody has been told then.
   */
  send(notice: Notice): string | null {
    const lines = Object.entries(notice).map(([key, text]) => `${key}=${oneLine(text)}\n`);
    const bytes = new TextEncoder().encode(lines.join("")) as Uint8Array<ArrayBuffer>;
    const sent = libc().sendto(
      this.fd.number,
      bytes,
      BigInt(bytes.length),
      MSG_DONTWAIT | MSG_NOSIGNAL,
      this.address,
      this.address.length,
    );
    return Number(sent) < 0 ? errnoName(errno()) : null;
  }

  [Symbol.dispose](): void {
    this.fd.close();
  }
}

/** @returns what `RELOADING=1` has to come with: CLOCK_MONOTONIC in microseconds. */
export function monotonicUsec(): string {
  return String(monotonicNs() / 1000n);
}

/** @returns a sockaddr_un of its exact length: an abstract name is all of it, without a final NUL. */
function addressOf(name: string): Uint8Array<ArrayBuffer> {
  const abstract = name.startsWith("@");
  const path = new TextEncoder().encode(abstract ? `\0${name.slice(1)}` : `${name}\0`);
  if ((!abstract && !name.startsWith("/")) || path.length < 2 || path.length > PATH_BYTES) {
    throw new RangeError(`NOTIFY_SOCKET is no address of a socket: ${JSON.stringify(name)}`);
  }
  return new Struct(2 + path.length).u16(0, AF_UNIX).set(2, path).bytes;
}

// deno-lint-ignore no-control-regex
const oneLine = (text: string) => text.replace(/[\x00-\x1f\x7f]+/g, " ");
