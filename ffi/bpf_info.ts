/** What the kernel says of a BPF object behind a descriptor: BPF_OBJ_GET_INFO_BY_FD and /proc. */
import { BPF_HINT, libbpf } from "./libbpf.ts";
import { Struct, SystemError, unwrapNegative } from "./native.ts";

/**
 * Fills `info` (struct bpf_map_info, bpf_prog_info or bpf_link_info; see `linux/bpf.h`). A struct
 * longer than the kernel's is fine as long as the rest is zero.
 * @throws SystemError
 */
export function readInfo(fd: number, info: Struct, what: string): void {
  const length = new Struct(4).u32(0, info.bytes.length);
  unwrapNegative(
    libbpf().bpf_obj_get_info_by_fd(fd, info.bytes, length.bytes),
    `Cannot read the ${what}'s description`,
    BPF_HINT,
  );
}

/** @returns the fields of `/proc/self/fdinfo/FD`, e.g. `frozen` → `1`. */
export function readFdInfo(fd: number): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`).split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return fields;
}

/** A BPF object's name in the kernel: at most 15 of `[A-Za-z0-9_.]` (BPF_OBJ_NAME_LEN). */
export function checkName(name: string): string {
  if (!/^[A-Za-z0-9_.]{1,15}$/.test(name)) {
    throw new TypeError(`Cannot name a BPF object ${JSON.stringify(name)}`);
  }
  return name;
}

/** @returns whether `thrown` is a SystemError with this errno name. */
export function isErrno(thrown: unknown, name: string): boolean {
  return thrown instanceof SystemError && thrown.errno === name;
}
