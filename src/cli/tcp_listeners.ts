/** Listening TCP sockets of our network namespace, told by the kernel: nothing is opened. */

export interface Listener {
  /** As 32 or 128 bits in hexadecimal, in the kernel's notation. */
  address: string;
  port: number;
  inode: number;
}

const LISTEN = "0A";

/** @returns the listeners of /proc/net/tcp or /proc/net/tcp6 (proc_net_tcp(5)). */
export function parseTcp(text: string): Listener[] {
  const rows = text.trim().split("\n").slice(1).map((line) => line.trim().split(/\s+/));
  return rows.filter((fields) => fields[3] === LISTEN).map((fields) => {
    const [address, port] = fields[1].split(":");
    return { address, port: parseInt(port, 16), inode: Number(fields[9]) };
  });
}

/**
 * @param host an IPv4 address.
 * @returns who listens where such a listener could not: at the same address, or at all of them.
 */
export function listenersOn(host: string, port: number): Listener[] {
  const read = (path: string) => {
    try {
      return parseTcp(Deno.readTextFileSync(path));
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return []; // No IPv6.
      throw cause;
    }
  };
  // The kernel prints the four bytes as one number of the machine's order: little-endian here.
  const bytes = host.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  const own = bytes.reverse().join("").toUpperCase();
  const conflicts = new Set([own, "0".repeat(8), "0".repeat(32)]);
  return [...read("/proc/net/tcp"), ...read("/proc/net/tcp6")]
    .filter((one) => one.port === port && conflicts.has(one.address));
}
