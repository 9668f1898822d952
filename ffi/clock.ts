/** The kernel's monotonic clock, the one that bpf_ktime_get_ns() reads. */
import { lazyLibrary, Struct, unwrap } from "./native.ts";

const libc = lazyLibrary("libc.so.6", {
  // int clock_gettime(clockid_t clockid, struct timespec *tp);
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
}, "VEI needs glibc");

const CLOCK_MONOTONIC = 1;

/** @returns nanoseconds of CLOCK_MONOTONIC (see clock_gettime(2)). */
export function monotonicNs(): bigint {
  const time = new Struct(16);
  unwrap(libc().clock_gettime(CLOCK_MONOTONIC, time.bytes), "clock_gettime");
  return time.getU64(0) * 1_000_000_000n + time.getU64(8);
}
