/**
 * `vei diode attach`: guards any interface, a container's end of a veth pair as well. From then on
 * what comes in there is TCP from one address to another, with payloads that the diode accepts, and
 * nothing else.
 */
import { Exit, VeiError } from "../base/errors.ts";
import { parseIpv4 } from "../base/ipv4.ts";
import { ETHERNET_FRAME } from "../bpf/frame.ts";
import type { LinkRules } from "../bpf/layout.ts";
import { type Guard, raiseDiode, readDiode } from "../../diodes/manager.ts";
import { proveDiode } from "../../diodes/proof.ts";
import { watchGuard } from "../../diodes/watch.ts";
import { interfaceIndex, setUp } from "../../ffi/netdev.ts";
import { LinkEvents } from "../../ffi/rtnetlink.ts";
import type { Command, CommandContext } from "./command.ts";
import { neighboursFor, setNeighbours } from "./diode_neighbours.ts";
import { dropPrinter, untilInterrupted } from "./event_output.ts";
import { DIODE_NAMES, leftLines, namedDiode } from "./named_diode.ts";
import { lockInstance } from "./instance_lock.ts";
import { requireRoot } from "./privilege.ts";
import { usageError } from "./usage.ts";

export const command: Command = {
  name: "diode attach",
  summary: "guard an interface: from there only TCP between two addresses, as the diode allows",
  usage:
    "NAME|FILE|policy:NAME --dev IFACE --from IP[:PORT] --to IP [--neigh [--netns PATH]] [--watch]",
  complete: DIODE_NAMES,
  example: "sudo vei diode attach hateless --dev veth0 --from 10.0.0.2:8080 --to 10.0.0.1",
  options: {
    dev: { type: "string", value: "IFACE", describe: "the interface, in this network namespace" },
    from: { type: "string", value: "IP[:PORT]", describe: "who may send; without PORT: any port" },
    to: { type: "string", value: "IP", describe: "to whom" },
    neigh: {
      type: "boolean",
      describe: "set permanent neighbour entries, because ARP does not pass a diode",
    },
    netns: {
      type: "string",
      value: "PATH",
      describe: "with --neigh: the sender's namespace; its end gets an entry too",
    },
    watch: {
      type: "boolean",
      describe: "stay, tell what is dropped; the interface goes down should the diode be changed",
    },
  },
  async run(context) {
    const { instance, options, positionals, json, terminal } = context;
    requireRoot("vei diode attach");
    const dev = required(options.dev, "--dev");
    const rules = linkRules(required(options.from, "--from"), required(options.to, "--to"));
    if (positionals.length !== 1) throw usage("name one diode");
    const netns = options.netns === undefined ? null : required(options.netns, "--netns");
    if (netns !== null && options.neigh !== true) throw usage("--netns is for --neigh");
    const plan = await proveDiode(await namedDiode(positionals[0], rules));
    for (const warning of plan.warnings) terminal.err(`${plan.name}: ${warning}`);
    // No monitor stands behind this interface.
    for (const line of leftLines(plan)) terminal.err(`${plan.name} does not enforce ${line}`);
    using _lock = lockInstance(instance);
    const ifindex = interfaceIndex(dev);
    if (ifindex === 0) throw noInterface(dev);
    const ends = { dev, from: rules.guestIp, to: rules.hostIp, netns };
    const neighbours = options.neigh === true ? neighboursFor(ends) : [];
    const begin = performance.now();
    using guard = raiseDiode({ plan, ifindex, pins: instance.pins, mayBeUp: true });
    const raiseMs = Math.round(10 * (performance.now() - begin)) / 10;
    setNeighbours(neighbours);
    // What is told is what the kernel shows, not what was meant.
    const diode = readDiode(instance.pins);
    // Before a word is said: who reads it may end us at once.
    const stop = options.watch === true ? untilInterrupted() : null;
    if (json) {
      const told = {
        diode: plan.name,
        policy: plan.share,
        how: guard.how,
        interface: dev,
        raiseMs,
        neighbours,
        ...diode,
      };
      if (stop) terminal.write(JSON.stringify(told) + "\n");
      else terminal.json(told);
    } else {
      terminal.out(
        `${plan.name} ${WORDS[guard.how]} ${dev}: link ${guard.ids.link}, ` +
          `program ${guard.ids.program}, ${raiseMs} ms`,
      );
      for (const { interface: name, netns, ip, mac } of neighbours) {
        terminal.out(
          `permanent neighbour ${ip} at ${mac} on ${name}${netns ? ` in ${netns}` : ""}`,
        );
      }
      if (neighbours.length === 1) {
        terminal.out(`the sender asks for ${ends.to} by ARP, which does not pass: --netns PATH`);
      }
    }
    if (stop) await stay(context, dev, guard, stop);
    return Exit.ok;
  },
};

const WORDS = {
  attached: "attached to",
  adopted: "was there already, byte for byte, on",
  replaced: "has taken the place of another diode on",
} as const;

/** Until it is interrupted: the diode then stays. */
async function stay(
  context: CommandContext,
  dev: string,
  guard: Guard,
  stop: AbortController,
): Promise<void> {
  const tell = dropPrinter(context, guard.ring);
  using events = new LinkEvents();
  let lost: VeiError | null = null;
  const watching = watchGuard({
    guard,
    events,
    signal: stop.signal,
    onLost(error) {
      lost = error;
      stop.abort();
      // It may be gone; what cannot be set down because it is not there is not open either.
      if (interfaceIndex(dev) !== 0) setUp(dev, false);
    },
  });
  while (!stop.signal.aborted) {
    tell();
    await guard.ring.wait(200);
  }
  await watching;
  tell();
  if (lost !== null) throw lost;
}

/** MAC addresses, TCP options and, without a port, the sender's port are left open. */
function linkRules(from: string, to: string): LinkRules {
  const [guestIp, port, ...more] = from.split(":");
  if (more.length > 0 || (port !== undefined && !/^[1-9][0-9]{0,4}$/.test(port))) {
    throw usage(`--from takes IP or IP:PORT, not ${JSON.stringify(from)}`);
  }
  for (const ip of [guestIp, to]) {
    try {
      parseIpv4(ip);
    } catch {
      throw usage(`${JSON.stringify(ip)} is not an IPv4 address`);
    }
  }
  if (Number(port) > 65_535) throw usage(`there is no port ${port}`);
  return {
    hostMac: "00:00:00:00:00:00",
    guestMac: "00:00:00:00:00:00",
    anyMac: true,
    hostIp: to,
    guestIp,
    guestPort: Number(port ?? 1),
    anySourcePort: port === undefined,
    anyOptions: true,
    maxFrame: ETHERNET_FRAME,
  };
}

function required(value: string | boolean | undefined, name: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw usage(`${name} is missing`);
}

function usage(message: string): VeiError {
  return usageError(`vei diode attach: ${message}`, "run `vei diode attach --help`");
}

function noInterface(dev: string): VeiError {
  return new VeiError({
    code: "interface-missing",
    message: `There is no interface ${dev} in this network namespace`,
    hint: "`ip link` lists those that are there; for another namespace: nsenter --net=PATH vei …",
    exit: Exit.noInput,
  });
}
