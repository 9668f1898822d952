/**
 * What every file of `ffi/` shares: lazy libraries, errno, C strings and C structs.
 *
 * Rules that keep FFI from crashing (each was a SIGSEGV once): a buffer given to a `nonblocking`
 * call stays referenced until it returns; pointers inside a struct do not keep their targets alive,
 * so `Struct` does; nothing is touched after munmap.
 */
import { Exit, VeiError } from "../src/base/errors.ts";
import type { ExitCode } from "../src/base/errors.ts";

const openers: (() => unknown)[] = [];

/**
 * Opens a shared library at the first use, never at import.
 * @returns a function that gives the library's symbols.
 * @throws VeiError `library-missing` (by the returned function).
 */
export function lazyLibrary<S extends Deno.ForeignLibraryInterface>(
  file: string,
  symbols: S,
  hint: string,
): () => Deno.DynamicLibrary<S>["symbols"] {
  let opened: Deno.DynamicLibrary<S> | undefined;
  const open = () => {
    try {
      opened ??= Deno.dlopen(file, symbols);
    } catch (cause) {
      throw new VeiError({
        code: "library-missing",
        message: `Cannot open ${file}`,
        hint,
        exit: Exit.unavailable,
        cause,
      });
    }
    return opened.symbols;
  };
  openers.push(open);
  return open;
}

/**
 * Opens every library that an imported module declares. For tests, at their top level: `deno test`
 * takes a library that is first used inside a test for a leak.
 * @throws VeiError `library-missing`
 */
export function openLibraries(): void {
  for (const open of openers) open();
}

const errnoLibrary = lazyLibrary("libc.so.6", {
  // int *__errno_location(void);
  __errno_location: { parameters: [], result: "pointer" },
  // int *strerrorname_np(int errnum);  (glibc 2.32)
  strerrorname_np: { parameters: ["i32"], result: "pointer" },
  // char *strerror(int errnum);
  strerror: { parameters: ["i32"], result: "pointer" },
}, "VEI needs glibc 2.32 or newer");

/** @returns errno of this thread; read it at once after the call that failed. */
export function errno(): number {
  return new Deno.UnsafePointerView(errnoLibrary().__errno_location()!).getInt32(0);
}

/** @returns e.g. `EBUSY`, or `errno 133` where libc has no name. */
export function errnoName(number: number): string {
  const name = errnoLibrary().strerrorname_np(number);
  return name === null ? `errno ${number}` : new Deno.UnsafePointerView(name).getCString();
}

/** @returns e.g. `Device or resource busy`. */
export function errnoText(number: number): string {
  const text = errnoLibrary().strerror(number);
  return text === null ? "unknown error" : new Deno.UnsafePointerView(text).getCString();
}

/** A system call or library function that failed. */
export class SystemError extends VeiError {
  /** e.g. `EPERM`. */
  readonly errno: string;
  constructor(what: string, number: number, hint = "", log = "") {
    const name = errnoName(number);
    super({
      code: `system-${name.toLowerCase()}`,
      message: `${what}: ${errnoText(number)} (${name})${log === "" ? "" : `\n${log}`}`,
      hint,
      exit: exitOf(name),
    });
    this.errno = name;
  }
}

function exitOf(name: string): ExitCode {
  if (name === "EPERM" || name === "EACCES") return Exit.noPermission;
  if (name === "EBUSY" || name === "EAGAIN") return Exit.tryAgain;
  if (name === "ENOENT" || name === "ENODEV" || name === "ENOSYS") return Exit.unavailable;
  return Exit.io;
}

/** @returns `result`. @throws SystemError from errno when it is negative (libc's convention). */
export function unwrap(result: number, what: string, hint = ""): number {
  if (result < 0) throw new SystemError(what, errno(), hint);
  return result;
}

/** @returns `result`. @throws SystemError from -result when it is negative (libbpf's convention). */
export function unwrapNegative(result: number, what: string, hint = "", log = ""): number {
  if (result < 0) throw new SystemError(what, -result, hint, log);
  return result;
}

/** @returns the text in UTF-8 with a final NUL. @throws TypeError when it holds a NUL itself. */
export function cstring(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new TypeError("A C string cannot hold NUL");
  return new TextEncoder().encode(text + "\0") as Uint8Array<ArrayBuffer>;
}

/** @returns the address of a buffer; the caller keeps the buffer alive. */
export function addressOf(bytes: ArrayBufferView<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}

/** A little-endian C struct that keeps what it points to alive. */
export class Struct {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  private readonly kept: unknown[] = [];

  /** @param size bytes. @param sized write `size` into a leading u64 `sz` (libbpf's option structs). */
  constructor(size: number, sized = false) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
    if (sized) this.view.setBigUint64(0, BigInt(size), true);
  }
  u8(at: number, value: number): this {
    this.view.setUint8(at, value);
    return this;
  }
  u16(at: number, value: number): this {
    this.view.setUint16(at, value, true);
    return this;
  }
  u32(at: number, value: number): this {
    this.view.setUint32(at, value, true);
    return this;
  }
  i32(at: number, value: number): this {
    this.view.setInt32(at, value, true);
    return this;
  }
  u64(at: number, value: bigint): this {
    this.view.setBigUint64(at, value, true);
    return this;
  }
  pointer(at: number, target: ArrayBufferView<ArrayBuffer>): this {
    this.kept.push(target);
    return this.u64(at, addressOf(target));
  }
  set(at: number, bytes: Uint8Array): this {
    this.bytes.set(bytes, at);
    return this;
  }
  getU32(at: number): number {
    return this.view.getUint32(at, true);
  }
  getU64(at: number): bigint {
    return this.view.getBigUint64(at, true);
  }
}

const closeLibrary = lazyLibrary("libc.so.6", {
  // int close(int fd);
  close: { parameters: ["i32"], result: "i32" },
}, "VEI needs glibc");

/** An owned file descriptor; disposing of it closes it, once. */
export class Fd implements Disposable {
  private open = true;
  constructor(readonly number: number) {}
  close(): void {
    if (!this.open) return;
    this.open = false;
    closeLibrary().close(this.number);
  }
  [Symbol.dispose](): void {
    this.close();
  }
}
