/** `vei enclave exec | restart`. */
import { Exit, VeiError } from "../base/errors.ts";
import { netnsExists } from "../../ffi/netns.ts";
import { start } from "../host/run.ts";
import type { Command } from "./command.ts";
import { mustFindEndpoint } from "./endpoint.ts";
import { requireRoot } from "./privilege.ts";
import { usageError } from "./usage.ts";

const exec: Command = {
  name: "enclave exec",
  summary: "run a program in the link namespace; the guest can be reached from there",
  usage: "-- PROGRAM [ARGUMENTS]",
  example: "sudo vei enclave exec -- curl http://172.30.0.11:8080/health",
  async run({ instance, rest }) {
    requireRoot("vei enclave exec");
    if (rest.length === 0) {
      throw usageError(
        "vei enclave exec needs a program to run",
        "for example: vei enclave exec -- curl http://172.30.0.11:8080/health",
      );
    }
    if (!netnsExists(instance.netns)) {
      throw new VeiError({
        code: "link-absent",
        message: `The instance ${instance.name} has no link namespace`,
        hint: "`vei serve` makes it",
        exit: Exit.unavailable,
      });
    }
    // nsenter keeps /sys as it is; `ip netns exec` would hide the pins behind a fresh one.
    const child = start("nsenter", [`--net=${instance.netns}`, "--", ...rest], {
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    });
    const ignore = () => {};
    Deno.addSignalListener("SIGINT", ignore);
    const { code } = await child.status;
    Deno.removeSignalListener("SIGINT", ignore);
    return code;
  },
};

const restart: Command = {
  name: "enclave restart",
  summary: "boot a new virtual machine behind the same gate; the old one is ended",
  example: "sudo vei enclave restart",
  async run({ instance, json, terminal }) {
    requireRoot("vei enclave restart");
    const endpoint = await mustFindEndpoint(instance);
    Deno.kill(endpoint.pid, "SIGUSR1");
    if (json) terminal.json({ told: endpoint.pid });
    else {
      terminal.out("The daemon was told to restart the enclave; `vei status` shows how far it is");
    }
    return Exit.ok;
  },
};

export const commands: readonly Command[] = [exec, restart];
