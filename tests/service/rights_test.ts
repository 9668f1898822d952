/** What the unit gives the daemon, taken away piece by piece: each is missed at once. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DAEMON_CAPABILITIES } from "../../src/install/unit.ts";
import { SERVICE } from "../../src/install/layout.ts";
import { SystemdWorld } from "./systemd_world.ts";
import { install } from "./vei_service.ts";

Deno.test("without any one of them the daemon does not start, and says which is missing", async () => {
  await using world = await SystemdWorld.start();
  await install(world, {});
  const refuses = async (settings: string, code: number, words: string) => {
    await world.dropIn(SERVICE, "less", `[Service]\n${settings}\n`);
    const before = (await world.journal(SERVICE)).length;
    assert((await world.run(["systemctl", "start", SERVICE])).code !== 0, settings);
    const said = (await world.journal(SERVICE)).slice(before).join("\n");
    assertStringIncludes(said, words);
    const { ExecMainStatus, NRestarts } = await world.show(SERVICE, "ExecMainStatus", "NRestarts");
    assertEquals([ExecMainStatus, NRestarts], [String(code), "0"], said);
    await world.must(["systemctl", "reset-failed", SERVICE]);
  };
  for (const name of Object.keys(DAEMON_CAPABILITIES)) {
    const without = `CapabilityBoundingSet=~${name}\nAmbientCapabilities=~${name}`;
    await refuses(without, 77, `missing: ${name}`);
  }
  await refuses("DeviceAllow=\nDeviceAllow=/dev/kvm rw", 77, "[need-missing]");
  await refuses("SystemCallFilter=~bpf", 77, "[need-missing]");
  // Without the root step nothing that is missing is made, least of all in the daemon's own mounts.
  await world.must(["sh", "-c", "umount /run/netns/vei0 && rm /run/netns/vei0"]);
  await refuses("ExecStartPre=", 78, "[need-missing]");
});
