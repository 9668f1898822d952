/**
 * Reads a BPF ring buffer through its memory (kernel Documentation/bpf/ringbuf.rst).
 *
 * One page holds the consumer position (ours to write), the next the producer position, then the
 * data, mapped twice in a row so that a record never wraps. Positions are absolute and live in the
 * map: a reader that is started again goes on where the last one stopped. Exactly one reader
 * consumes; while there is none, others may look.
 */
import type { BpfMap } from "./bpf_map.ts";
import { MAP_TYPE } from "./bpf_map.ts";
import { errno, lazyLibrary, Struct, SystemError } from "./native.ts";

const libc = lazyLibrary("libc.so.6", {
  // void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  // int munmap(void *addr, size_t length);
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  // int poll(struct pollfd *fds, nfds_t nfds, int timeout);
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
  // int getpagesize(void);
  getpagesize: { parameters: [], result: "i32" },
}, "VEI needs glibc");

const PROT_READ = 1;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const POLLIN = 1;
/** BPF_RINGBUF_BUSY_BIT: the producer has not finished the record. */
const BUSY = 0x8000_0000;
/** BPF_RINGBUF_DISCARD_BIT: the producer gave the record up. */
const DISCARD = 0x4000_0000;
const HEADER_BYTES = 8;
/** Give room back to the producer at least this often. */
const RELEASE_EVERY = 256;

/** What running polls write to: kept here because a nonblocking call does not keep it alive. */
const polling = new Set<Struct>();

/** A reader of a ring buffer. Dispose of it before its map; the map stays the caller's. */
export class RingReader implements Disposable {
  private memory: { consumer: Deno.PointerObject; producer: Deno.PointerObject } | null;
  private readonly page: number;
  private readonly size: number;
  private readonly consumed: BigUint64Array;
  private readonly produced: BigUint64Array;
  private readonly headers: Uint32Array;
  private readonly data: Uint8Array;

  /** Where a reader that only looks has come to. */
  private seen: bigint | null;

  /**
   * @param options `consume`: false only looks: what it reads stays for the next reader.
   * @throws SystemError; TypeError when the map is no ring buffer.
   */
  constructor(private readonly map: BpfMap, options: { consume?: boolean } = {}) {
    const info = map.info();
    if (info.type !== MAP_TYPE.ringbuf) throw new TypeError("This map is not a ring buffer");
    this.page = libc().getpagesize();
    this.size = info.maxEntries;
    const consumer = mapMemory(map.fd, this.page, PROT_READ_WRITE, 0);
    let producer;
    try {
      producer = mapMemory(map.fd, this.page + 2 * this.size, PROT_READ, this.page);
    } catch (cause) {
      libc().munmap(consumer, BigInt(this.page));
      throw cause;
    }
    this.memory = { consumer, producer };
    const shared = Deno.UnsafePointerView.getArrayBuffer(producer, this.page + 2 * this.size);
    this.consumed = new BigUint64Array(
      Deno.UnsafePointerView.getArrayBuffer(consumer, this.page),
      0,
      1,
    );
    this.produced = new BigUint64Array(shared, 0, 1);
    this.headers = new Uint32Array(shared, this.page);
    this.data = new Uint8Array(shared, this.page);
    this.seen = options.consume === false ? Atomics.load(this.consumed, 0) : null;
  }

  private get position(): bigint {
    return this.seen ?? Atomics.load(this.consumed, 0);
  }

  private set position(value: bigint) {
    if (this.seen === null) Atomics.store(this.consumed, 0, value);
    else this.seen = value;
  }

  /**
   * Gives every finished record to `each`, in order, without waiting. A record counts as consumed
   * before `each` sees the next one, also when `each` throws.
   * @param each gets a copy that it may keep.
   * @returns how many records there were.
   * @throws TypeError after the reader was disposed of.
   */
  drain(each: (record: Uint8Array<ArrayBuffer>) => void): number {
    if (!this.memory) throw new TypeError("This ring reader is closed");
    let position = this.position;
    let count = 0;
    let unreleased = 0;
    try {
      while (this.memory && position < Atomics.load(this.produced, 0)) {
        const offset = Number(position & BigInt(this.size - 1));
        const header = Atomics.load(this.headers, offset / 4);
        if (header >= BUSY) break;
        const length = header % DISCARD;
        const at = offset + HEADER_BYTES;
        const record = header & DISCARD ? null : this.data.slice(at, at + length);
        // Records begin on multiples of eight bytes.
        position += BigInt(Math.ceil((HEADER_BYTES + length) / 8) * 8);
        if (++unreleased >= RELEASE_EVERY) {
          this.position = position;
          unreleased = 0;
        }
        if (record) {
          count++;
          each(record);
        }
      }
    } finally {
      // `each` may have closed us: then the memory is gone.
      if (this.memory) this.position = position;
    }
    return count;
  }

  /**
   * Waits on another thread until there is something to read. It goes on to its end when the reader
   * is disposed of meanwhile: await it.
   * @param ms at most so many milliseconds.
   * @returns false when the time was up.
   */
  async wait(ms: number): Promise<boolean> {
    if (!this.memory) return false;
    const pollfd = new Struct(8).i32(0, this.map.fd).u16(4, POLLIN);
    polling.add(pollfd);
    try {
      return await libc().poll(pollfd.bytes, 1n, Math.min(Math.max(0, ms), 0x7fff_ffff)) > 0;
    } finally {
      polling.delete(pollfd);
    }
  }

  [Symbol.dispose](): void {
    if (!this.memory) return;
    const { consumer, producer } = this.memory;
    this.memory = null;
    libc().munmap(consumer, BigInt(this.page));
    libc().munmap(producer, BigInt(this.page + 2 * this.size));
  }
}

function mapMemory(fd: number, length: number, protection: number, offset: number) {
  const address = libc().mmap(null, BigInt(length), protection, MAP_SHARED, fd, BigInt(offset));
  // MAP_FAILED is (void *) -1.
  if (address === null || Deno.UnsafePointer.value(address) === 0xffff_ffff_ffff_ffffn) {
    throw new SystemError("Cannot map the ring buffer", errno());
  }
  return address;
}
