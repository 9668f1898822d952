/** The service's ends: by the watchdog, in the middle of a boot, with a virtual machine that hangs. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readPidFile } from "../../enclave/pid_file.ts";
import { SERVICE } from "../../src/install/layout.ts";
import { until } from "../tools/daemon.ts";
import { SystemdWorld } from "./systemd_world.ts";
import { install, start, stop } from "./vei_service.ts";

const STOP_MS = 10_000;

Deno.test("whatever hangs, systemd is not kept waiting", async (test) => {
  await using world = await SystemdWorld.start();
  await install(world, {});
  const show = () => world.show(SERVICE, "ActiveState", "Result", "NRestarts", "MainPID");
  const took: string[] = [];
  const stopsInTime = async (what: string) => {
    const ms = await stop(world);
    took.push(`${what} ${Math.round(ms)} ms`);
    assert(ms < STOP_MS, `${what}: ${ms} ms`);
    const { ActiveState, Result } = await show();
    assertEquals([ActiveState, Result], ["inactive", "success"], what);
    assertEquals(await world.must(["sh", "-c", "pgrep -c '^(qemu|bwrap)' || true"]), "0\n");
  };

  await test.step("a daemon that hangs is ended by the watchdog and started anew", async () => {
    await world.dropIn(SERVICE, "watchdog", "[Service]\nWatchdogSec=6s\n");
    await start(world);
    const { MainPID } = await show();
    assert(Number(MainPID) > 1);
    await world.must(["kill", "-STOP", MainPID]);
    const begun = performance.now();
    const before = Number((await show()).NRestarts);
    await until(
      "the watchdog",
      async () => Number((await show()).NRestarts) > before ? true : null,
    );
    took.push(`watchdog ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    const words = (await world.journal(SERVICE)).join("\n");
    assert(words.includes("Watchdog timeout"), words);
  });

  await test.step("it stops in the middle of a boot", async () => {
    const { StatusText } = await until("a boot", async () => {
      const now = await world.show(SERVICE, "SubState", "StatusText");
      return now.SubState === "start" && now.StatusText !== "" ? now : null;
    });
    assertMatch(StatusText, /^booting the virtual machine, attempt 1/);
    await stopsInTime("stop in a boot");
  });

  await test.step("it stops with a virtual machine that does not answer", async () => {
    await start(world);
    const qemu = readPidFile(world.path("/run/vei"))!.qemu!;
    await world.must(["kill", "-STOP", String(qemu.pid)]);
    await stopsInTime("stop with a frozen QEMU");
  });

  console.log(`  ${took.join(", ")}`);
});
