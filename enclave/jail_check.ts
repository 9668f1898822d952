/**
 * Reads back from /proc what the running QEMU is and holds, and compares it with what was asked
 * for: arguments are a wish, this is the fact. Part of every start; the tests and `vei doctor` use
 * it too.
 */
import { Exit, VeiError } from "../src/base/errors.ts";
import { asUser } from "../ffi/identity.ts";
import { JAIL_USER, LOG_BYTES } from "./jail.ts";

export const NAMESPACES = ["user", "mnt", "net", "pid", "ipc", "uts"] as const;

export interface JailFacts {
  /** Lines of /proc/PID/status. */
  status: Record<string, string>;
  /** `Seccomp` of each thread. */
  seccomp: string[];
  /** Kinds of namespaces that are the same as ours. */
  sharedNamespaces: string[];
  mounts: { target: string; readOnly: boolean; type: string }[];
  /** Hard limits by the name that /proc/PID/limits gives them. */
  limits: Record<string, string>;
  /** What the descriptors point at. */
  descriptors: string[];
  session: number;
}

/** @returns what /proc says of a process. @throws Deno.errors.NotFound when it is gone. */
export function readJail(pid: number): JailFacts {
  const proc = `/proc/${pid}`;
  const status = statusOf(`${proc}/status`);
  const tasks = [...Deno.readDirSync(`${proc}/task`)].map(({ name }) => name);
  return {
    status,
    seccomp: tasks.map((task) => threadSeccomp(`${proc}/task/${task}/status`)),
    sharedNamespaces: [...NAMESPACES, "cgroup"].filter((kind) =>
      Deno.readLinkSync(`${proc}/ns/${kind}`) === Deno.readLinkSync(`/proc/self/ns/${kind}`)
    ),
    mounts: Deno.readTextFileSync(`${proc}/mountinfo`).trim().split("\n").map(parseMount),
    limits: parseLimits(Deno.readTextFileSync(`${proc}/limits`)),
    descriptors: [...Deno.readDirSync(`${proc}/fd`)].map(({ name }) =>
      target(`${proc}/fd/${name}`)
    ),
    session: sessionOf(`${proc}/stat`),
  };
}

function statusOf(path: string): Record<string, string> {
  const lines = Deno.readTextFileSync(path).trim().split("\n");
  return Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  }));
}

/** A thread that ended while we looked needs no filter. */
function threadSeccomp(path: string): string {
  try {
    return statusOf(path).Seccomp;
  } catch {
    return "2";
  }
}

function parseMount(line: string): JailFacts["mounts"][number] {
  const fields = line.split(" ");
  const end = fields.indexOf("-", 6);
  return {
    target: fields[4],
    readOnly: fields[5].split(",").includes("ro"),
    type: fields[end + 1],
  };
}

/** @returns the hard limits. */
export function parseLimits(text: string): Record<string, string> {
  const limits: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const match = /^(Max [a-z ]+?)\s{2,}(\S+)\s+(\S+)/.exec(line);
    if (match) limits[match[1]] = match[3];
  }
  return limits;
}

/** A descriptor that was closed while we looked is not one. */
function target(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "anon_inode:gone";
  }
}

function sessionOf(path: string): number {
  const stat = Deno.readTextFileSync(path);
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]);
}

export interface JailWish {
  /** Mount points, besides the root. */
  targets: readonly string[];
  devices: readonly string[];
  /** Files, devices and sockets that may be open, besides anonymous ones. */
  open: readonly string[];
  /** The session of the one who asks. */
  ourSession: number;
}

const IDS = (id: number) => Array(4).fill(id).join("\t");
const NO_CAPABILITY = "0000000000000000";

/** @returns what is not as wished, in words; empty when all is. Pure. */
export function jailFaults(facts: JailFacts, wish: JailWish): string[] {
  const faults: string[] = [];
  const want = (what: string, found: string | undefined, wanted: string) => {
    if (found !== wanted) faults.push(`${what} is ${found ?? "not told"}, not ${wanted}`);
  };
  want("Uid", facts.status.Uid, IDS(JAIL_USER));
  want("Gid", facts.status.Gid, IDS(JAIL_USER));
  want("Groups", facts.status.Groups, "");
  for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
    want(set, facts.status[set], NO_CAPABILITY);
  }
  want("NoNewPrivs", facts.status.NoNewPrivs, "1");
  if (facts.seccomp.some((mode) => mode !== "2")) faults.push("a thread has no seccomp filter");
  for (const kind of NAMESPACES) {
    if (facts.sharedNamespaces.includes(kind)) faults.push(`the ${kind} namespace is ours`);
  }
  want("Max core file size", facts.limits["Max core file size"], "0");
  want("Max file size", facts.limits["Max file size"], String(LOG_BYTES));
  for (const name of ["Max open files", "Max processes", "Max address space"]) {
    if (!/^\d+$/.test(facts.limits[name] ?? "")) faults.push(`${name} is not limited`);
  }
  faults.push(...mountFaults(facts, wish));
  for (const path of facts.descriptors) {
    if (/^anon_inode:|^socket:/.test(path) || wish.open.includes(path)) continue;
    faults.push(`it holds a descriptor of ${path}`);
  }
  if (facts.session === wish.ourSession) faults.push("its session is ours");
  return faults;
}

function mountFaults(facts: JailFacts, wish: JailWish): string[] {
  const faults: string[] = [];
  const root = facts.mounts.filter(({ target }) => target === "/");
  if (root.length !== 1 || root[0].type !== "tmpfs" || !root[0].readOnly) {
    faults.push("its root is not one read-only tmpfs");
  }
  for (const { target, readOnly } of facts.mounts) {
    if (target === "/" || wish.devices.includes(target)) continue;
    if (!wish.targets.includes(target)) faults.push(`${target} is mounted`);
    else if (!readOnly) faults.push(`${target} is writable`);
  }
  return faults;
}

/** @throws VeiError `jail-broken` unless the process is jailed exactly as wished. */
export function checkJail(pid: number, wish: Omit<JailWish, "ourSession">): void {
  const ourSession = sessionOf("/proc/self/stat");
  // To its own user /proc shows everything, and to us, with few capabilities, not.
  const facts = asUser(JAIL_USER, () => readJail(pid));
  const faults = jailFaults(facts, { ...wish, ourSession });
  if (faults.length === 0) return;
  throw new VeiError({
    code: "jail-broken",
    message: `QEMU's jail is not as it should be: ${faults.slice(0, 5).join("; ")}`,
    hint: "the virtual machine was ended; `vei doctor` says what the kernel allows",
    exit: Exit.unavailable,
  });
}
