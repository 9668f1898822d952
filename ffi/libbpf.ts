/**
 * The symbols of libbpf that VEI uses, each with its C prototype (libbpf 1.1, `bpf/bpf.h`).
 *
 * libbpf 1.x returns -errno from every function below. All descriptors it makes are close-on-exec.
 * Nothing here opens an ELF file: programs come as raw instructions.
 */
import { lazyLibrary } from "./native.ts";

export const libbpf = lazyLibrary("libbpf.so.1", {
  // int bpf_map_create(enum bpf_map_type map_type, const char *map_name, __u32 key_size,
  //                    __u32 value_size, __u32 max_entries, const struct bpf_map_create_opts *opts);
  bpf_map_create: {
    parameters: ["u32", "buffer", "u32", "u32", "u32", "buffer"],
    result: "i32",
  },
  // int bpf_map_get_fd_by_id(__u32 id);
  bpf_map_get_fd_by_id: { parameters: ["u32"], result: "i32" },
  // int bpf_map_lookup_elem(int fd, const void *key, void *value);
  bpf_map_lookup_elem: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
  bpf_map_update_elem: { parameters: ["i32", "buffer", "buffer", "u64"], result: "i32" },
  // int bpf_map_freeze(int fd);
  bpf_map_freeze: { parameters: ["i32"], result: "i32" },
  // int bpf_prog_load(enum bpf_prog_type prog_type, const char *prog_name, const char *license,
  //                   const struct bpf_insn *insns, size_t insn_cnt, struct bpf_prog_load_opts *opts);
  bpf_prog_load: {
    parameters: ["u32", "buffer", "buffer", "buffer", "usize", "buffer"],
    result: "i32",
  },
  // int bpf_prog_get_fd_by_id(__u32 id);
  bpf_prog_get_fd_by_id: { parameters: ["u32"], result: "i32" },
  // int bpf_prog_test_run_opts(int prog_fd, struct bpf_test_run_opts *opts);
  bpf_prog_test_run_opts: { parameters: ["i32", "buffer"], result: "i32" },
  // int bpf_obj_get_info_by_fd(int bpf_fd, void *info, __u32 *info_len);
  bpf_obj_get_info_by_fd: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int bpf_obj_pin(int fd, const char *pathname);
  bpf_obj_pin: { parameters: ["i32", "buffer"], result: "i32" },
  // int bpf_obj_get(const char *pathname);
  bpf_obj_get: { parameters: ["buffer"], result: "i32" },
  // int bpf_link_create(int prog_fd, int target_fd, enum bpf_attach_type attach_type,
  //                     const struct bpf_link_create_opts *opts);
  bpf_link_create: { parameters: ["i32", "i32", "u32", "buffer"], result: "i32" },
  // int bpf_link_update(int link_fd, int new_prog_fd, const struct bpf_link_update_opts *opts);
  bpf_link_update: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  // int bpf_link_detach(int link_fd);
  bpf_link_detach: { parameters: ["i32"], result: "i32" },
  // const char *libbpf_version_string(void);
  libbpf_version_string: { parameters: [], result: "pointer" },
}, "install the package libbpf1 (on Debian: apt-get install libbpf1)");

/** What a user can do when bpf(2) answers EPERM. */
export const BPF_HINT =
  "loading into the kernel needs root (CAP_BPF, CAP_NET_ADMIN, CAP_SYS_ADMIN)";

/** @returns the text up to the first NUL. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
