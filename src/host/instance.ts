/** Everything that an instance's name decides: paths, interface, namespace, pins. */
import { Exit, VeiError } from "../base/errors.ts";

/** Where one instance of VEI keeps what it has. All paths are absolute. */
export interface Instance {
  readonly name: string;
  /** The tap's name, and that of the link namespace: `NAME0`. */
  readonly tap: string;
  /** Bind mount that holds the link namespace. */
  readonly netns: string;
  /** Folder of the pins in bpffs. */
  readonly pins: string;
  /** Durable state: models, images, receipts, key. */
  readonly state: string;
  /** Volatile state: sockets, pid files, endpoint.json. */
  readonly run: string;
  readonly config: string;
}

/**
 * @param name at most 12 lower-case letters and digits, beginning with a letter (an interface name
 * has at most 15 bytes, see IFNAMSIZ).
 * @param options `state`: another state folder; `root`: false uses folders of the user's own.
 * @throws VeiError `instance-name` for any other name.
 */
export function instanceOf(
  name: string,
  options: { state?: string; root?: boolean; home?: string } = {},
): Instance {
  if (!/^[a-z][a-z0-9]{0,11}$/.test(name)) {
    throw new VeiError({
      code: "instance-name",
      message: `${JSON.stringify(name)} cannot name an instance`,
      hint: "use 1 to 12 lower-case letters and digits, beginning with a letter",
      exit: Exit.usage,
    });
  }
  const asRoot = options.root ?? true;
  const home = options.home ?? "/nonexistent";
  return {
    name,
    tap: `${name}0`,
    netns: `/run/netns/${name}0`,
    pins: `/sys/fs/bpf/${name}`,
    state: options.state ?? (asRoot ? `/var/lib/${name}` : `${home}/.local/state/${name}`),
    run: asRoot ? `/run/${name}` : `${home}/.local/state/${name}/run`,
    config: asRoot ? `/etc/${name}/vei.toml` : `${home}/.config/${name}/vei.toml`,
  };
}
