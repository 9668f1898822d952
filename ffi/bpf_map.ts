/** Array maps and ring buffers (see bpf(2), kernel Documentation/bpf/map_array.rst, ringbuf.rst). */
import { checkName, readFdInfo, readInfo } from "./bpf_info.ts";
import { BPF_HINT, libbpf, textOf } from "./libbpf.ts";
import { cstring, Fd, Struct, unwrapNegative } from "./native.ts";

/** enum bpf_map_type. */
export const MAP_TYPE = { array: 2, ringbuf: 27 } as const;
/** BPF_F_RDONLY_PROG: programs cannot write to the map. */
export const RDONLY_PROG = 1 << 7;
/** BPF_F_MMAPABLE. */
export const MMAPABLE = 1 << 10;

export interface MapInit {
  kind: keyof typeof MAP_TYPE;
  /** At most 15 letters, digits, `_` and `.`. */
  name: string;
  /** Bytes of one value of an array; 0 for a ring buffer. */
  valueSize: number;
  /** Values of an array; bytes of a ring buffer (a power of two, whole pages). */
  maxEntries: number;
  /** Array only: programs can read but not write it. */
  readOnlyForProgram?: boolean;
}

/** struct bpf_map_info, as far as it is used. */
export interface MapInfo {
  id: number;
  type: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  name: string;
}

/** A map in the kernel; disposing of it closes our descriptor only. */
export class BpfMap implements Disposable {
  private constructor(private readonly owned: Fd, private readonly valueSize: number) {}

  /** @throws SystemError e.g. EPERM without the capabilities. */
  static create(init: MapInit): BpfMap {
    const options = new Struct(48, true).u32(28, init.readOnlyForProgram ? RDONLY_PROG : 0);
    const fd = unwrapNegative(
      libbpf().bpf_map_create(
        MAP_TYPE[init.kind],
        cstring(checkName(init.name)),
        init.kind === "array" ? 4 : 0,
        init.valueSize,
        init.maxEntries,
        options.bytes,
      ),
      `Cannot create the map ${init.name}`,
      BPF_HINT,
    );
    return new BpfMap(new Fd(fd), init.valueSize);
  }

  /** @throws SystemError ENOENT when no map has this id. */
  static fromId(id: number): BpfMap {
    const fd = unwrapNegative(
      libbpf().bpf_map_get_fd_by_id(id),
      `Cannot open the map with id ${id}`,
      BPF_HINT,
    );
    const owned = new Fd(fd);
    try {
      return new BpfMap(owned, infoOf(fd).valueSize);
    } catch (cause) {
      owned.close();
      throw cause;
    }
  }

  get fd(): number {
    return this.owned.number;
  }

  info(): MapInfo {
    return infoOf(this.fd);
  }

  /** @returns a copy of one value. @throws SystemError ENOENT beyond the last index. */
  read(index = 0): Uint8Array<ArrayBuffer> {
    const value = new Uint8Array(this.valueSize);
    unwrapNegative(
      libbpf().bpf_map_lookup_elem(this.fd, new Struct(4).u32(0, index).bytes, value),
      `Cannot read value ${index} of the map`,
      BPF_HINT,
    );
    return value;
  }

  /**
   * @param bytes exactly one value.
   * @throws SystemError EPERM when the map is frozen; RangeError for another length.
   */
  write(bytes: Uint8Array, index = 0): void {
    if (bytes.length !== this.valueSize) {
      throw new RangeError(`A value of this map has ${this.valueSize} bytes, not ${bytes.length}`);
    }
    unwrapNegative(
      libbpf().bpf_map_update_elem(
        this.fd,
        new Struct(4).u32(0, index).bytes,
        bytes as Uint8Array<ArrayBuffer>,
        0n,
      ),
      `Cannot write value ${index} of the map`,
      "a frozen map cannot be written again",
    );
  }

  /** Ends all writing by bpf(2), for good. Freeze before loading: the verifier then folds values. */
  freeze(): void {
    unwrapNegative(libbpf().bpf_map_freeze(this.fd), "Cannot freeze the map", BPF_HINT);
  }

  /** @returns whether the kernel says that it is frozen (`/proc/self/fdinfo`). */
  frozen(): boolean {
    return readFdInfo(this.fd).get("frozen") === "1";
  }

  [Symbol.dispose](): void {
    this.owned.close();
  }
}

function infoOf(fd: number): MapInfo {
  const info = new Struct(88);
  readInfo(fd, info, "map");
  return {
    type: info.getU32(0),
    id: info.getU32(4),
    keySize: info.getU32(8),
    valueSize: info.getU32(12),
    maxEntries: info.getU32(16),
    flags: info.getU32(20),
    name: textOf(info.bytes.subarray(24, 40)),
  };
}
