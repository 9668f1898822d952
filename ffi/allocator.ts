/** glibc's allocator, which keeps what was freed. */
import { lazyLibrary } from "./native.ts";

const libc = lazyLibrary("libc.so.6", {
  // int malloc_trim(size_t pad);
  malloc_trim: { parameters: ["usize"], result: "i32", nonblocking: true },
}, "VEI needs glibc");

/**
 * Gives the kernel back what was freed, of every thread: each has an arena of its own, which stays
 * with all its pages when the thread ends (see malloc_trim(3)). Settled when that is done; others
 * run meanwhile.
 * @throws VeiError `library-missing`.
 */
export async function giveBackFreed(): Promise<void> {
  await libc().malloc_trim(0n);
}
