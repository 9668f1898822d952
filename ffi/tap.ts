/** A tap: a network interface whose other end is a descriptor (kernel doc networking/tuntap). */
import { Exit, VeiError } from "../src/base/errors.ts";
import {
  cstring,
  errno,
  errnoName,
  Fd,
  lazyLibrary,
  Struct,
  SystemError,
  unwrap,
} from "./native.ts";

const libc = lazyLibrary("libc.so.6", {
  // int open(const char *pathname, int flags, mode_t mode);
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  // int ioctl(int fd, unsigned long request, ...);  with a pointer
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  // int ioctl(int fd, unsigned long request, ...);  with a number
  ioctlNumber: { name: "ioctl", parameters: ["i32", "u64", "u64"], result: "i32" },
  // int fcntl(int fd, int op, ... /* arg */);
  fcntl: { parameters: ["i32", "i32", "i64"], result: "i32" },
  // ssize_t read(int fd, void *buf, size_t count);
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  // ssize_t write(int fd, const void *buf, size_t count);
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
}, "VEI needs glibc");

const DEVICE = "/dev/net/tun";
const O_RDWR_NONBLOCK_CLOEXEC = 0o2 | 0o4000 | 0o2000000;
const TUNSETIFF = 0x400454can, TUNSETPERSIST = 0x400454cbn, TUNGETIFF = 0x800454d2n;
const IFF_TAP = 0x0002, IFF_PERSIST = 0x0800, IFF_NO_PI = 0x1000, IFF_VNET_HDR = 0x4000;
const F_SETFD = 2, FD_CLOEXEC = 1n;
const IFREQ = 40;

/** An open tap, in the namespace that the calling thread was in when it was opened. */
export class Tap implements Disposable {
  readonly name: string;
  private readonly owned: Fd;

  private constructor(name: string, owned: Fd) {
    this.name = name;
    this.owned = owned;
  }

  /**
   * Makes a tap, or takes one that exists and that nobody holds. Frames are plain Ethernet: no
   * packet information, no virtio header (so a guest is offered no offloads).
   * @param name at most 15 bytes.
   * @param options `persist`: the device outlives its last descriptor.
   * @throws VeiError `tun-missing`, `tun-not-permitted`, `tap-busy` (another process holds it),
   * `tap-foreign` (an interface of that name that is no such tap).
   */
  static open(name: string, { persist }: { persist: boolean }): Tap {
    const encoded = cstring(name);
    if (encoded.length > 16 || encoded.length < 2) {
      throw new RangeError(`Cannot name an interface ${JSON.stringify(name)}: 1 to 15 bytes`);
    }
    const number = libc().open(cstring(DEVICE), O_RDWR_NONBLOCK_CLOEXEC, 0);
    if (number < 0) throw deviceError(errnoName(errno()), errno());
    const owned = new Fd(number);
    try {
      const request = new Struct(IFREQ).set(0, encoded).u16(16, IFF_TAP | IFF_NO_PI).bytes;
      if (libc().ioctl(number, TUNSETIFF, request) < 0) throw attachError(name, errno());
      unwrap(
        libc().ioctlNumber(number, TUNSETPERSIST, persist ? 1n : 0n),
        `Cannot make ${name} ${persist ? "" : "not "}persistent`,
      );
      return new Tap(name, owned);
    } catch (error) {
      owned.close();
      throw error;
    }
  }

  /** Close-on-exec until `inheritable(true)`. */
  get fd(): number {
    return this.owned.number;
  }

  /**
   * @returns what the device itself says (TUNGETIFF). Its owner is not among it: see
   * `linkState().tun.owner`.
   * @throws SystemError EBADFD when the device has been deleted.
   */
  settings(): { name: string; tap: boolean; persist: boolean; vnetHdr: boolean; flags: number } {
    const request = new Struct(IFREQ);
    unwrap(libc().ioctl(this.fd, TUNGETIFF, request.bytes), `Cannot read ${this.name}'s settings`);
    const flags = request.view.getUint16(16, true);
    const name = request.bytes.subarray(0, 16);
    return {
      name: new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
      tap: (flags & IFF_TAP) !== 0,
      persist: (flags & IFF_PERSIST) !== 0,
      vnetHdr: (flags & IFF_VNET_HDR) !== 0,
      flags,
    };
  }

  /** @param yes children started from now on inherit the descriptor under its own number. */
  inheritable(yes: boolean): void {
    unwrap(libc().fcntl(this.fd, F_SETFD, yes ? 0n : FD_CLOEXEC), "Cannot set close-on-exec");
  }

  /** Puts one frame on the wire towards the host. @throws SystemError EIO while it is down. */
  write(frame: Uint8Array<ArrayBuffer>): void {
    const size = Number(libc().write(this.fd, frame, BigInt(frame.length)));
    unwrap(size, `Cannot write a frame of ${frame.length} bytes to ${this.name}`);
  }

  private readonly buffer = new Uint8Array(65536 + 64);

  /** @returns the next frame that the host sent, null when none is waiting. */
  read(): Uint8Array<ArrayBuffer> | null {
    const size = Number(libc().read(this.fd, this.buffer, BigInt(this.buffer.length)));
    if (size < 0 && errnoName(errno()) === "EAGAIN") return null;
    return this.buffer.slice(0, unwrap(size, `Cannot read a frame from ${this.name}`));
  }

  /** Lets go of the device; a persistent one stays. */
  [Symbol.dispose](): void {
    this.owned.close();
  }
}

function deviceError(name: string, number: number): VeiError {
  if (name === "EPERM" || name === "EACCES") {
    return new VeiError({
      code: "tun-not-permitted",
      message: `Cannot open ${DEVICE}: ${name}`,
      hint: "run as root, for example with sudo; a container needs the device allowed",
      exit: Exit.noPermission,
    });
  }
  if (name === "ENOENT" || name === "ENODEV" || name === "ENXIO" || name === "ENOTDIR") {
    return new VeiError({
      code: "tun-missing",
      message: `${DEVICE} is not there (${name})`,
      hint: "load the module (`modprobe tun`), or give the container --device /dev/net/tun",
      exit: Exit.unavailable,
    });
  }
  return new SystemError(`Cannot open ${DEVICE}`, number);
}

function attachError(name: string, number: number): VeiError {
  const why = errnoName(number);
  if (why === "EBUSY") {
    return new VeiError({
      code: "tap-busy",
      message: `Another process holds the tap ${name}`,
      hint: "end the QEMU that still runs with it (`vei status` names it), then try again",
      exit: Exit.tryAgain,
    });
  }
  if (why === "EINVAL") {
    return new VeiError({
      code: "tap-foreign",
      message: `The name ${name} belongs to an interface that is not a tap of ours`,
      hint: `look at it with \`ip -d link show ${name}\`; remove it, or use another --instance`,
      exit: Exit.tryAgain,
    });
  }
  if (why === "EPERM") {
    return new VeiError({
      code: "tun-not-permitted",
      message: `Cannot make the tap ${name}: ${why}`,
      hint: "run as root, for example with sudo (it takes CAP_NET_ADMIN)",
      exit: Exit.noPermission,
    });
  }
  return new SystemError(`Cannot make the tap ${name}`, number);
}
