/** What the kernel's tables say, read from samples. */
import { assertEquals } from "@std/assert";
import { parseLocks } from "./lock_holder.ts";
import { parseTcp } from "./tcp_listeners.ts";

Deno.test("/proc/locks: writers by flock, not those that wait, and no other locks", () => {
  const text = `1: FLOCK  ADVISORY  WRITE 42 fe:00:1234 0 EOF
1: -> FLOCK  ADVISORY  WRITE 43 fe:00:1234 0 EOF
2: POSIX  ADVISORY  WRITE 44 fe:00:1234 0 EOF
3: FLOCK  ADVISORY  READ  45 fe:00:1234 0 EOF
4: OFDLCK ADVISORY  READ  -1 00:06:5 0 EOF
5: FLOCK  ADVISORY  WRITE 46 00:1a:99 0 EOF
`;
  assertEquals(parseLocks(text), [{ pid: 42, inode: 1234 }, { pid: 46, inode: 99 }]);
});

Deno.test("/proc/net/tcp: listeners only", () => {
  const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid" +
    "  timeout inode";
  const row = (address: string, state: string, inode: number) =>
    `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0` +
    `        0 ${inode} 1 0000000000000000 100 0 0 10 0`;
  const text = [head, row("0100007F:2253", "0A", 77), row("0100007F:2253", "01", 78)].join("\n");
  assertEquals(parseTcp(text + "\n"), [{ address: "0100007F", port: 8787, inode: 77 }]);
});
