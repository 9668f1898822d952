/** The bpffs goes away below a daemon, in a mount and process namespace that is the test's own. */
import { assert, assertEquals } from "@std/assert";
import { isAlive, nameOf } from "../../enclave/processes.ts";
import { netnsExists, withNetns } from "../../ffi/netns.ts";
import { linkState } from "../../ffi/rtnetlink.ts";
import { run } from "../../src/host/run.ts";
import { until } from "../tools/daemon.ts";
import { GateWatch } from "../tools/gate_watch.ts";
import { fault } from "./fault.ts";

/** Within this time all has to be shut, however busy the machine. */
const SHUT_MS = 3000;

/**
 * A box of its own for mounts and processes: the daemon takes it for the host. Its process 1 waits
 * for the daemon, so that what the daemon leaves ends with it.
 */
const APART = [
  ...["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"],
  ...["--mount-proc", "sh", "-c"],
  ...['umount --lazy /sys/fs/bpf; mount -t bpf bpf /sys/fs/bpf && "$@"; exit $?', "sh"],
];

fault("the bpffs is unmounted", async (world) => {
  const box = await world.box();
  const daemon = box.serve({ wrap: APART });
  await daemon.until("a boot", ({ phase, diode }) => phase === "booting" && diode !== null);
  // Process 1 of the namespace, by whose root its files are reached from here.
  const first = await childOf(daemon.child.pid);
  const { tap, netns: path, pins } = box.instance;
  const root = `/proc/${first}/root`;
  const netns = `${root}${path}`;
  using watch = new GateWatch({ netns, tap });
  const state = () => netnsExists(netns) ? withNetns(netns, () => linkState(tap)) : null;
  const qemu = await until("QEMU", () => qemuOf(tap), { ms: 60_000, log: () => daemon.log });
  assert(state()!.up && state()!.xdpProgramId !== null);
  assert((await Deno.stat(`${root}${pins}/link`)).isFile);

  const begun = performance.now();
  const enter = ["-t", `${first}`, "--mount", "--pid", "umount", "--lazy", "/sys/fs/bpf"];
  assertEquals((await run("nsenter", enter)).code, 0);
  await until("tap down and QEMU dead", () => state()?.up || isAlive(qemu) ? null : true, {
    ms: SHUT_MS,
    log: () => daemon.log,
  });
  console.log(`shut after ${Math.round(performance.now() - begun)} ms`);
  const { code } = await daemon.end(20_000);
  assert(code !== 0 && code < 128, `exit code ${code}`);
  assert(watch.up > 0);
  watch.stop();
  watch.assertNeverOpen();
});

async function childOf(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return Number(text.trim().split(" ")[0]);
}

/** @returns the process that has this tap as its wire, as seen from here. */
function qemuOf(tap: string) {
  for (const entry of Deno.readDirSync("/proc")) {
    try {
      const command = Deno.readTextFileSync(`/proc/${entry.name}/cmdline`);
      if (!command.startsWith("/usr/bin/qemu-system-x86_64")) continue;
      for (const { name } of Deno.readDirSync(`/proc/${entry.name}/fdinfo`)) {
        const info = Deno.readTextFileSync(`/proc/${entry.name}/fdinfo/${name}`);
        if (info.includes(`iff:\t${tap}\n`)) return nameOf(Number(entry.name));
      }
    } catch {
      // It has ended.
    }
  }
  return null;
}
