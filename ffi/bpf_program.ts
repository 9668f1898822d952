/** XDP programs: load raw instructions, read back what the kernel made of them, try them. */
import { hex } from "../src/base/bytes.ts";
import { checkName, readInfo } from "./bpf_info.ts";
import { BPF_HINT, libbpf, textOf } from "./libbpf.ts";
import { cstring, Fd, Struct, unwrapNegative } from "./native.ts";

/** Program and attach types (enum bpf_prog_type, bpf_attach_type), by hook. */
const HOOKS = { xdp: [6, 37], tcx: [3, 46] } as const;
/** Below 1 MiB older kernels hide the real error behind ENOSPC. Zero pages: it costs nothing. */
const LOG_BYTES = 1 << 24;
const LOG_LINES = 40;

/** BPF_PROG_TEST_RUN shows an XDP program at most this much of what it is given, silently. */
export const RUN_MAX_BYTES = 3520;
/** The kernel refuses less than an Ethernet header. */
export const RUN_MIN_BYTES = 14;

/** Verdicts of an XDP program (enum xdp_action). */
export const XDP = { aborted: 0, drop: 1, pass: 2, tx: 3, redirect: 4 } as const;

/** struct bpf_prog_info, as far as it is used. */
export interface ProgramInfo {
  id: number;
  /** 16 hex digits over the instructions without map references: it binds no table. */
  tag: string;
  name: string;
  mapIds: number[];
  /** The instructions after the verifier's rewriting, map references as ids. */
  translated: Uint8Array<ArrayBuffer>;
  verifiedInstructions: number;
}

/** A program in the kernel; disposing of it closes our descriptor only. */
export class BpfProgram implements Disposable {
  private readonly frame = new Uint8Array(RUN_MAX_BYTES);
  private readonly runOptions = new Struct(80, true).pointer(8, this.frame);

  private constructor(private readonly owned: Fd) {}

  /**
   * @param init `instructions`: struct bpf_insn, eight bytes each, maps named by descriptor; `hook`:
   * where it may be attached, by default XDP.
   * @throws SystemError with the last lines of the verifier's log in its message.
   */
  static load(
    init: { name: string; instructions: Uint8Array; hook?: keyof typeof HOOKS },
  ): BpfProgram {
    const { name, instructions } = init;
    const [programType, attachType] = HOOKS[init.hook ?? "xdp"];
    if (instructions.length === 0 || instructions.length % 8 !== 0) {
      throw new RangeError(
        `A program has whole instructions of 8 bytes, not ${instructions.length}`,
      );
    }
    const log = new Uint8Array(LOG_BYTES);
    // log_level 0 with a buffer: libbpf asks for the log only when the first try failed.
    const options = new Struct(104, true)
      .u32(12, attachType).u32(92, LOG_BYTES).pointer(96, log);
    const fd = libbpf().bpf_prog_load(
      programType,
      cstring(checkName(name)),
      cstring("GPL"),
      instructions as Uint8Array<ArrayBuffer>,
      BigInt(instructions.length / 8),
      options.bytes,
    );
    const words = fd < 0 ? textOf(log).trim().split("\n").slice(-LOG_LINES).join("\n") : "";
    return new BpfProgram(
      new Fd(unwrapNegative(fd, `Cannot load the program ${name}`, BPF_HINT, words)),
    );
  }

  /** @throws SystemError ENOENT when no program has this id. */
  static fromId(id: number): BpfProgram {
    return new BpfProgram(
      new Fd(
        unwrapNegative(
          libbpf().bpf_prog_get_fd_by_id(id),
          `Cannot open the program with id ${id}`,
          BPF_HINT,
        ),
      ),
    );
  }

  get fd(): number {
    return this.owned.number;
  }

  info(): ProgramInfo {
    const sizes = new Struct(232);
    readInfo(this.fd, sizes, "program");
    const translated = new Uint8Array(sizes.getU32(20));
    const mapIds = new Uint32Array(sizes.getU32(52));
    const info = new Struct(232).u32(20, translated.length).u32(52, mapIds.length);
    // A pointer to an empty array would be that of nothing: leave it null then.
    if (translated.length > 0) info.pointer(32, translated);
    if (mapIds.length > 0) info.pointer(56, mapIds);
    readInfo(this.fd, info, "program");
    return {
      id: info.getU32(4),
      tag: hex(info.bytes.subarray(8, 16)),
      name: textOf(info.bytes.subarray(64, 80)),
      mapIds: [...mapIds],
      translated,
      verifiedInstructions: info.getU32(216),
    };
  }

  /**
   * Runs the program on a frame that goes nowhere (BPF_PROG_TEST_RUN).
   * @param frame 14 to 3520 bytes; more would be cut silently, so it is refused.
   * @param repeat how many times.
   * @returns the verdict (see `XDP`) and the mean duration of one run in whole nanoseconds.
   * @throws RangeError, SystemError
   */
  run(frame: Uint8Array, repeat = 1): { verdict: number; durationNs: number } {
    if (frame.length < RUN_MIN_BYTES || frame.length > RUN_MAX_BYTES) {
      throw new RangeError(
        `A test run takes ${RUN_MIN_BYTES} to ${RUN_MAX_BYTES} bytes, not ${frame.length}`,
      );
    }
    this.frame.set(frame);
    // data_size_out (28) comes back filled in, and would be the next run's limit.
    const options = this.runOptions.u32(24, frame.length).u32(28, 0).u32(60, repeat);
    unwrapNegative(
      libbpf().bpf_prog_test_run_opts(this.fd, options.bytes),
      "Cannot run the program",
      BPF_HINT,
    );
    return { verdict: options.getU32(56), durationNs: options.getU32(64) };
  }

  [Symbol.dispose](): void {
    this.owned.close();
  }
}
