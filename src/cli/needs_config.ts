/** The configuration, what it names, and whether the instance's place is free. */
import { messageOf } from "../base/errors.ts";
import { netnsExists, withNetns } from "../../ffi/netns.ts";
import { allLinks } from "../../ffi/rtnetlink.ts";
import { configuredDiode, configuredPolicies } from "./configured.ts";
import { lockHolder, nameOfProcess } from "./lock_holder.ts";
import { AS_ROOT, type Check, Lacking, NotTold, type Place } from "./need.ts";
import { listenersOn } from "./tcp_listeners.ts";

export const CONFIG_CHECKS: readonly Check[] = [
  {
    id: "config",
    group: "config",
    wanted: "a configuration that can be read, with known keys only",
    needed: true,
    means: "nothing is started: a misspelt limit would be a gate left open",
    mend: "mend the configuration file",
    async find({ configPath, configNamed, configFault }) {
      if (configFault) throw configFault;
      const there = configNamed || await Deno.stat(configPath).then(() => true, () => false);
      return there ? `${configPath} is valid` : `no ${configPath}: the defaults hold`;
    },
  },
  {
    id: "diode",
    group: "config",
    wanted: "the gate that [diode] name means",
    needed: true,
    means: "there is no gate, so nothing is started",
    mend: "name a shipped diode, or mend its file",
    async find(place) {
      requireConfig(place);
      const { name, digests } = await configuredDiode(place.config);
      return `${name} compiles, sha256:${digests.source}`;
    },
  },
  {
    id: "policy",
    group: "config",
    wanted: "the policies that [policy] default and allow mean",
    needed: true,
    means: "answers could not be checked, so nothing is started",
    mend: "name a shipped policy, or mend its file",
    async find(place) {
      requireConfig(place);
      const { config, instance: { state } } = place;
      const { policy: { policy, sha256 }, allowed } = await configuredPolicies(
        config,
        state,
        false,
      );
      const more = allowed.length === 0 ? "" : `, and ${allowed.length} more that it allows`;
      return `${policy.name} compiles, sha256:${sha256}${more}`;
    },
  },
  {
    id: "port",
    group: "config",
    wanted: "the address of [api] listen",
    needed: true,
    means: "the API cannot be reached, so nothing is started",
    mend: "choose another port in [api] listen, or end the program that has it",
    find(place) {
      requireConfig(place);
      return port(place);
    },
  },
  {
    id: "instance",
    group: "config",
    wanted: "the instance's name and state folder, for one daemon",
    needed: true,
    means: "a second daemon is refused",
    mend: "end the other process, or use another --instance",
    find: ({ instance, daemon }) => {
      for (const folder of [instance.state, instance.run]) {
        const pid = lockHolder(`${folder}/lock`);
        if (pid === null || pid === daemon?.pid) continue;
        throw new Lacking(`${folder} is in use by process ${pid} (${nameOfProcess(pid)})`);
      }
      return daemon ? `held by the running daemon, pid ${daemon.pid}` : "free";
    },
  },
  {
    id: "link",
    group: "config",
    wanted: "the link's namespace, without anybody else's interface",
    needed: true,
    means: "the start is refused: what is not ours stays as it is",
    mend: "remove the foreign interface, or use another --instance",
    find({ instance: { netns, tap } }) {
      if (!netnsExists(netns)) return `no ${netns} yet: the start makes it`;
      // lo is always the first.
      const links = withNetns(netns, () => allLinks()).filter(({ index }) => index !== 1);
      const foreign = links.find(({ name, tun }) => name !== tap || !tun?.tap);
      if (foreign) {
        throw new Lacking(
          `${foreign.name} in ${netns} is not ours`,
          `look at it: nsenter --net=${netns} ip link; then remove it`,
        );
      }
      return links.length === 0 ? `${netns} is empty` : `${netns} holds ${tap} alone`;
    },
  },
];

/** What the file says is not known while it cannot be read. */
function requireConfig({ configFault }: Place): void {
  if (configFault) throw new NotTold("the configuration cannot be read", "mend `config` first");
}

/** Ours, or free: then it is taken for an instant, unless a daemon may be about to take it. */
function port({ config, daemon, instance }: Place): string {
  const { listen } = config.api;
  if (daemon?.listen === listen) return `${listen} is the running daemon's`;
  const [hostname, digits] = [listen.slice(0, listen.lastIndexOf(":")), listen.split(":").at(-1)!];
  const [taken] = listenersOn(hostname, Number(digits));
  if (taken) throw new Lacking(`${listen} is taken by another program (socket ${taken.inode})`);
  if (lockHolder(`${instance.run}/lock`) !== null) return `${listen} has no listener`;
  try {
    Deno.listen({ hostname, port: Number(digits) }).close();
  } catch (cause) {
    if (cause instanceof Deno.errors.PermissionDenied) {
      throw new NotTold(`${listen}: ${messageOf(cause)}`, AS_ROOT);
    }
    throw new Lacking(`${listen}: ${messageOf(cause)}`);
  }
  return `${listen} is free`;
}
