/** What the unit gives the daemon, taken away piece by piece: each is missed at once. */
import { assert, assertStringIncludes } from "@std/assert";
import { DAEMON_CAPABILITIES } from "../../src/install/unit.ts";
import { SERVICE } from "../../src/install/layout.ts";
import { SystemdWorld } from "./systemd_world.ts";
import { install } from "./vei_service.ts";

Deno.test("without any one of them the daemon does not start, and says which is missing", async () => {
  await using world = await SystemdWorld.start();
  await install(world, {});
  const refuses = async (settings: string, words: string) => {
    await world.dropIn(SERVICE, "less", `[Service]\nRestart=no\n${settings}\n`);
    const before = (await world.journal(SERVICE)).length;
    assert((await world.run(["systemctl", "start", SERVICE])).code !== 0, settings);
    assertStringIncludes((await world.journal(SERVICE)).slice(before).join("\n"), words);
    await world.must(["systemctl", "reset-failed", SERVICE]);
  };
  for (const name of Object.keys(DAEMON_CAPABILITIES)) {
    const without = `CapabilityBoundingSet=~${name}\nAmbientCapabilities=~${name}`;
    await refuses(without, `missing: ${name} [not-root]`);
  }
  await refuses("SystemCallFilter=~bpf", "[need-missing]");
  await refuses("DeviceAllow=\nDeviceAllow=/dev/kvm rw", "/dev/net/tun: EPERM [tun-not-permitted]");
  // Without the root step nothing that is missing is made, least of all in the daemon's own mounts.
  await world.must(["sh", "-c", "umount /run/netns/vei0 && rm /run/netns/vei0"]);
  await refuses("ExecStartPre=", "[need-missing]");
});
