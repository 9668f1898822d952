/**
 * TC programs beside ours (tcx, kernel ≥ 6.6): they run after XDP, so they see what the diode let
 * pass and nothing else. VEI attaches none itself; its tests show that one changes nothing.
 */
import type { BpfProgram } from "./bpf_program.ts";
import { BPF_HINT, libbpf } from "./libbpf.ts";
import { Fd, unwrapNegative } from "./native.ts";

/** BPF_TCX_INGRESS of enum bpf_attach_type. */
const ATTACH_TYPE_INGRESS = 46;

/**
 * @param program loaded for the hook `tcx`.
 * @param ifindex an interface of this thread's network namespace.
 * @returns the link; the program goes when it is disposed of.
 * @throws SystemError EINVAL before kernel 6.6.
 */
export function attachIngress(program: BpfProgram, ifindex: number): Disposable {
  const fd = unwrapNegative(
    libbpf().bpf_link_create(program.fd, ifindex, ATTACH_TYPE_INGRESS, null),
    `Cannot attach to the ingress of interface ${ifindex}`,
    BPF_HINT,
  );
  const owned = new Fd(fd);
  return { [Symbol.dispose]: () => owned.close() };
}
