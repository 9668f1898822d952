/** Installation, upgrade and removal of the service, under a real systemd. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Status } from "../../src/api/status.ts";
import { layoutUnder, SERVICE } from "../../src/install/layout.ts";
import { unitText } from "../../src/install/unit.ts";
import { SystemdWorld } from "../service/systemd_world.ts";
import { ask } from "../service/vei_service.ts";
import { compiledProgram, currentVersion, withText, withVersion } from "./compiled.ts";

const UNIT = layoutUnder().unit;
const DROP_IN = `/etc/systemd/system/${SERVICE}.d/own.conf`;
/** The service with the mock model: what its virtual machine does is shown in tests/service. */
const MOCK = "[Service]\nExecStart=\nExecStart=/usr/local/bin/vei serve --model mock\n";

Deno.test("the service is installed, upgraded, taken back and removed", async (test) => {
  await using world = await SystemdWorld.start();
  const put = async (name: string, write: (path: string) => Promise<void>) => {
    await write(world.path(`/tmp/${name}`));
    return `/tmp/${name}`;
  };
  const compiled = await compiledProgram();
  const program = await put("vei", (path) => Deno.copyFile(compiled, path));
  const status = async (): Promise<Status> =>
    JSON.parse(await world.must(["vei", "status", "--json"])).daemon;
  const properties = () => world.show(SERVICE, "ActiveState", "UnitFileState", "LoadState");

  await test.step("installed, it is not started; a second time nothing changes", async () => {
    const { code, stderr } = await world.run([program, "install", "--no-setup"]);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, `systemctl enable --now ${SERVICE}`);
    assertEquals(await Deno.readTextFile(world.path(UNIT)), unitText());
    assertEquals(await properties(), {
      ...{ ActiveState: "inactive", UnitFileState: "disabled", LoadState: "loaded" },
    });
    for (const user of ["vei", "vei-vm"]) await world.must(["getent", "passwd", user]);
    const again = await world.run(["vei", "install", "--no-setup"]);
    assertStringIncludes(again.stderr, "Everything was in its place");
  });

  await test.step("an administrator's drop-in and changed unit stay as they are", async () => {
    await world.dropIn(SERVICE, "own", MOCK);
    await Deno.writeTextFile(world.path(UNIT), unitText() + "# mine\n");
    const { code, stderr } = await world.run(["vei", "install", "--no-setup"]);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, `${UNIT}: kept (changed by somebody`);
    assertStringIncludes(stderr, `${UNIT}.default: made`);
    assertEquals(await Deno.readTextFile(world.path(UNIT)), unitText() + "# mine\n");
    assertEquals(await Deno.readTextFile(world.path(`${UNIT}.default`)), unitText());
    await Deno.writeTextFile(world.path(UNIT), unitText());
    const mended = await world.run(["vei", "install", "--no-setup"]);
    assertStringIncludes(mended.stderr, `${UNIT}.default: removed (no longer needed)`);
  });

  await test.step("with --start it runs, now and at each boot", async () => {
    const { code, stderr } = await world.run(["vei", "install", "--no-setup", "--start"]);
    assertEquals(code, 0, `${stderr}\n${(await world.journal(SERVICE)).join("\n")}`);
    const { ActiveState, UnitFileState } = await properties();
    assertEquals([ActiveState, UnitFileState], ["active", "enabled"]);
    assertEquals((await ask(world, 3)).status, 200);
    assertEquals((await status()).version, await currentVersion());
  });

  await test.step("an upgrade restarts it and waits until it is ready", async () => {
    const next = await put("vei-next", (path) => withVersion(compiled, "9.9.9", path));
    const { code, stderr } = await world.run(["vei", "upgrade", next]);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, `${SERVICE}: ready`);
    const { phase, version } = await status();
    assertEquals([phase, version], ["ready", "9.9.9"]);
  });

  await test.step("a program that does not get ready as the service is taken back", async () => {
    // Its state folder is one that nobody can make; the trial has a state folder of its own.
    const { pid } = await status();
    const broken = await put(
      "vei-broken",
      (path) => withText(world.path("/tmp/vei-next"), ["/var/lib/", "/sys/lib/"], path),
    );
    const { code, stderr } = await world.run(["vei", "upgrade", broken]);
    assertEquals([code, /\[[a-z-]+\]/.exec(stderr)?.[0]], [1, "[upgrade-rolled-back]"], stderr);
    assertStringIncludes(stderr, "put back");
    const now = await status();
    assertEquals([now.phase, now.version], ["ready", "9.9.9"]);
    assert(now.pid !== pid);
    assertEquals((await ask(world, 3)).status, 200);
  });

  await test.step("uninstalled, the service and its link are gone; what people made stays", async () => {
    const { code, stderr } = await world.run(["vei", "uninstall"]);
    assertEquals(code, 0, stderr);
    assertEquals((await properties()).LoadState, "not-found");
    const gone = [
      ...[UNIT, "/usr/local/bin/vei", "/usr/local/lib/vei", "/run/vei", "/run/netns/vei0"],
      ...["/sys/fs/bpf/vei", `/etc/systemd/system/multi-user.target.wants/${SERVICE}`],
    ];
    const left = await world.run(["ls", "-d", ...gone]);
    assertEquals([left.code, left.stdout], [2, ""]);
    for (const path of [DROP_IN, "/var/lib/vei/node.key", "/var/lib/vei/receipts.log"]) {
      assertEquals((await world.must(["stat", "--format=%U", path])).trim(), "root", path);
    }
    assertStringIncludes(stderr, "/var/lib/vei: kept");
  });

  await test.step("purged, it says what goes, and all of it goes", async () => {
    const { code, stderr } = await world.run([program, "uninstall", "--purge"]);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "receipts.log: removing 2 receipts");
    assertStringIncludes(stderr, "node.key: removing");
    const left = await world.run(["ls", "-d", "/var/lib/vei", "/etc/vei"]);
    assertEquals([left.code, left.stdout], [2, ""]);
  });
});
