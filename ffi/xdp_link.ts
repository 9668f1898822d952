/**
 * XDP links (BPF_LINK_TYPE_XDP, kernel ≥ 5.9): exclusive on their interface, alive as long as a
 * descriptor or a pin holds them, replaced atomically.
 */
import { Exit, VeiError } from "../src/base/errors.ts";
import { readInfo } from "./bpf_info.ts";
import type { BpfProgram } from "./bpf_program.ts";
import { BPF_HINT, libbpf } from "./libbpf.ts";
import { cstring, Fd, Struct, unwrapNegative } from "./native.ts";

const ATTACH_TYPE_XDP = 37;
const LINK_TYPE_XDP = 6;

/** struct bpf_link_info of an XDP link. */
export interface XdpLinkInfo {
  id: number;
  programId: number;
  /** 0 once the interface is gone or the link was detached: it then guards nothing. */
  ifindex: number;
}

/** A program's attachment to an interface; disposing of it closes our descriptor only. */
export class XdpLink implements Disposable {
  private constructor(private readonly owned: Fd) {}

  /**
   * @param ifindex an interface of this thread's network namespace.
   * @throws SystemError EBUSY when another XDP program is there, EINVAL or ENODEV without such an
   * interface.
   */
  static attach(program: BpfProgram, ifindex: number): XdpLink {
    const fd = unwrapNegative(
      libbpf().bpf_link_create(program.fd, ifindex, ATTACH_TYPE_XDP, null),
      `Cannot attach to interface ${ifindex}`,
      BPF_HINT,
    );
    return new XdpLink(new Fd(fd));
  }

  /**
   * @throws SystemError ENOENT when nothing is there; VeiError `pin-foreign` when it is something
   * else than an XDP link.
   */
  static fromPin(path: string): XdpLink {
    const fd = new Fd(
      unwrapNegative(libbpf().bpf_obj_get(cstring(path)), `Cannot open the pin ${path}`, BPF_HINT),
    );
    try {
      // The info call cannot tell a link from a map or a program: they share the leading fields.
      const kind = Deno.readLinkSync(`/proc/self/fd/${fd.number}`);
      const info = new Struct(64);
      if (/bpf[-_]link/.test(kind)) readInfo(fd.number, info, "link");
      if (info.getU32(0) !== LINK_TYPE_XDP) throw notALink(path, kind);
      return new XdpLink(fd);
    } catch (cause) {
      fd.close();
      throw cause;
    }
  }

  get fd(): number {
    return this.owned.number;
  }

  info(): XdpLinkInfo {
    const info = new Struct(64);
    readInfo(this.fd, info, "link");
    return { id: info.getU32(4), programId: info.getU32(8), ifindex: info.getU32(16) };
  }

  /** Puts another program in place of the present one: each frame meets the old or the new. */
  replace(program: BpfProgram): void {
    unwrapNegative(
      libbpf().bpf_link_update(this.fd, program.fd, null),
      "Cannot replace the link's program",
      BPF_HINT,
    );
  }

  /** @param path in a bpffs; must not exist. */
  pin(path: string): void {
    unwrapNegative(
      libbpf().bpf_obj_pin(this.fd, cstring(path)),
      `Cannot pin the link at ${path}`,
      BPF_HINT,
    );
  }

  /** Opens the gate at once, for every holder of the link. Its ifindex is 0 from then on. */
  detach(): void {
    unwrapNegative(libbpf().bpf_link_detach(this.fd), "Cannot detach the link", BPF_HINT);
  }

  [Symbol.dispose](): void {
    this.owned.close();
  }
}

function notALink(path: string, kind: string): VeiError {
  return new VeiError({
    code: "pin-foreign",
    message: `${path} is not an XDP link (${kind})`,
    hint: `it is not ours: look at what made it, then remove it by \`rm ${path}\``,
    exit: Exit.config,
  });
}
