/** What the kernel lets this thread do (capabilities(7)). */

/** Bits of linux/capability.h. */
export const CAPABILITY = { SETGID: 6, SETUID: 7, NET_ADMIN: 12, SYS_ADMIN: 21 } as const;

/** @returns those that are not in effect, e.g. `["SYS_ADMIN"]`. */
export function missingCapabilities(): string[] {
  const status = Deno.readTextFileSync("/proc/thread-self/status");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)![1]}`);
  return Object.entries(CAPABILITY).filter(([, bit]) => (effective >> BigInt(bit) & 1n) === 0n)
    .map(([name]) => name);
}
