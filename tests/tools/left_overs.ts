/** What there is of an instance on this machine. */
import { netnsExists } from "../../ffi/netns.ts";
import type { Instance } from "../../src/host/instance.ts";

/**
 * @returns a line for each process that holds the instance's tap or names it on its command line,
 * and for its namespace, pins and run folder. Processes that are ending get a moment to do so.
 */
export async function leftOvers(instance: Instance): Promise<string[]> {
  for (let tries = 0; tries < 30 && processesOf(instance).length > 0; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { netns, pins, run } = instance;
  return [
    ...processesOf(instance),
    ...netnsExists(netns) ? ["namespace"] : exists(netns) ? ["the namespace's file"] : [],
    ...exists(pins) ? ["pins"] : [],
    ...exists(run) ? ["run folder"] : [],
  ];
}

/**
 * @returns the processes of an instance, as `process PID: COMMAND`: daemons and commands by their
 * arguments, QEMU by the tap, its jail by the log.
 */
export function processesOf({ name, tap, run }: Instance): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync("/proc")) {
    const pid = Number(entry.name);
    if (!Number.isInteger(pid) || pid === Deno.pid) continue;
    const command = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
    if (command.split(/[ /]/).includes(name) || holds(pid, tap, run)) {
      found.push(`process ${pid}: ${command}`);
    }
  }
  return found;
}

/** Whether a process has the tap open (fdinfo says so, drivers/net/tun.c), or a file in `folder`. */
function holds(pid: number, tap: string, folder: string): boolean {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].some(({ name: fd }) => {
      const path = Deno.readLinkSync(`/proc/${pid}/fd/${fd}`);
      if (path.startsWith(`${folder}/`)) return true;
      return path === "/dev/net/tun" &&
        read(`/proc/${pid}/fdinfo/${fd}`).includes(`iff:\t${tap}\n`);
    });
  } catch {
    return false; // It has ended.
  }
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
