/** The real unit under a real systemd: from its start to its end, with everything in between. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { DAEMON_CAPABILITIES, DAEMON_USER } from "../../src/install/unit.ts";
import { SERVICE } from "../../src/install/layout.ts";
import { until } from "../tools/daemon.ts";
import { SystemdWorld } from "./systemd_world.ts";
import { ask, CONFIG, install, put, start, stop } from "./vei_service.ts";

const STOP_MS = 10_000;
/** What the daemon may write to, in its own mount namespace. */
const WRITABLE = ["/dev/pts", "/dev/shm", "/proc", "/proc/sys/user", "/run/vei", "/tmp"]
  .concat("/sys/fs/bpf/vei", "/var/lib/vei", "/var/tmp", "/dev/net/tun");

Deno.test("the unit's whole life under systemd", async (test) => {
  await using world = await SystemdWorld.start();
  await install(world, { says: ["I", " like", " it"] });
  const properties = () => world.show(SERVICE, "ActiveState", "Result", "NRestarts", "StatusText");
  const pid = async () => (await world.show(SERVICE, "MainPID")).MainPID;
  const took: string[] = [];

  await test.step("systemd has nothing to complain about", async () => {
    const verify = [
      "systemd-analyze",
      "verify",
      "--man=no",
      `/usr/local/lib/systemd/system/${SERVICE}`,
    ];
    const { code, stdout, stderr } = await world.run(verify);
    assertEquals([code, stdout, stderr], [0, "", ""]);
  });

  await test.step("it is ready when a question can be asked", async () => {
    const ms = await start(world);
    took.push(`start to ready ${(ms / 1000).toFixed(1)} s`);
    const { ActiveState, StatusText } = await properties();
    assertEquals([ActiveState, StatusText], ["active", "ready on http://127.0.0.1:8787"]);
    const { status, body, receipt } = await ask(world, "hello");
    assertEquals(status, 200, JSON.stringify(body));
    assertMatch(JSON.stringify(body), /"content":"I like it"/);
    const shown = await world.must(["vei", "receipt", "show", receipt]);
    assertStringIncludes(shown, receipt);
  });

  await test.step("the daemon has exactly what the unit gives it", async () => {
    const main = await pid();
    const status = await world.must(["cat", `/proc/${main}/status`]);
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1];
    const bits = await Promise.all(Object.keys(DAEMON_CAPABILITIES).map(bitOf));
    const set = bits.reduce((sum, bit) => sum | 1n << bit, 0n).toString(16).padStart(16, "0");
    for (const name of ["CapPrm", "CapEff", "CapBnd", "CapAmb"]) assertEquals(field(name), set);
    assertEquals(field("Uid"), Array(4).fill(DAEMON_USER.id).join("\t"));
    assertEquals([field("NoNewPrivs"), field("Seccomp")], ["1", "2"]);
    const mounts = (await world.must(["cat", `/proc/${main}/mountinfo`])).trim().split("\n")
      .map((line) => line.split(" "))
      // Of two at one place the later is the one that is seen; a namespace's file is no folder.
      .filter((fields) => fields[fields.indexOf("-") + 1] !== "nsfs");
    const seen = new Map(mounts.map((fields) => [fields[4], fields[5].split(",")[0]]));
    const writable = [...seen].filter(([, mode]) => mode === "rw").map(([path]) => path);
    assertEquals(writable.toSorted(), WRITABLE.toSorted());
  });

  await test.step("the journal has JSON lines", async () => {
    const lines = (await world.journal(SERVICE)).filter((line) => line.startsWith("{"));
    assert(lines.length >= 3);
    for (const line of lines) assertEquals(typeof JSON.parse(line).level, "string");
  });

  await test.step("killed, it comes back, and the diode was there all the time", async () => {
    const [killed, begun] = [await pid(), performance.now()];
    await world.must(["kill", "-KILL", killed]);
    await until("the next daemon", async () => {
      const { ActiveState, NRestarts } = await properties();
      return ActiveState === "active" && NRestarts === "1" && await pid() !== killed ? true : null;
    });
    took.push(`kill -9 to ready ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    assertStringIncludes((await world.journal(SERVICE)).join("\n"), "adopted, still pinned");
    assertEquals((await ask(world, "hello")).status, 200);
  });

  await test.step("with a client that does not let go, it stops within ten seconds", async () => {
    const client = world.spawn([
      "curl",
      "--silent",
      "--no-buffer",
      "http://127.0.0.1:8787/api/events",
    ]);
    const reader = client.stdout.getReader();
    await reader.read();
    const ms = await stop(world);
    took.push(`stop ${Math.round(ms)} ms`);
    assert(ms < STOP_MS, `${ms} ms`);
    const { ActiveState, Result } = await properties();
    assertEquals([ActiveState, Result], ["inactive", "success"]);
    await reader.cancel();
    await client.stderr.cancel();
    await client.status;
    const link = await world.must([
      "nsenter",
      "--net=/run/netns/vei0",
      "ip",
      "-o",
      "link",
      "show",
      "vei0",
    ]);
    assert(!/[<,]UP[,>]/.test(link) && link.includes("xdp"), link);
  });

  await test.step("a wrong configuration is not tried again and again", async () => {
    await put(world.path("/etc/vei/vei.toml"), "[enclave]\nmodell = 1\n");
    const { code } = await world.run(["systemctl", "start", SERVICE]);
    assert(code !== 0);
    const { ActiveState, NRestarts } = await properties();
    assertEquals([ActiveState, NRestarts], ["failed", "0"]);
  });

  await test.step("the key can be a systemd credential; named and missing, nothing starts", async () => {
    await put(world.path("/etc/vei/vei.toml"), `${CONFIG}[receipt]\nkey = "vei.key"\n`);
    assert((await world.run(["systemctl", "start", SERVICE])).code !== 0);
    assertStringIncludes((await world.journal(SERVICE)).join("\n"), "[key-missing]");
    assertEquals((await properties()).NRestarts, "0");
  });

  console.log(`  ${took.join(", ")}`);
});

async function bitOf(name: string): Promise<bigint> {
  const text = await Deno.readTextFile("/usr/include/linux/capability.h").catch(() => "");
  const found = new RegExp(`^#define ${name}\\s+(\\d+)$`, "m").exec(text)?.[1];
  const known: Record<string, number> = {
    CAP_SETGID: 6,
    CAP_SETUID: 7,
    CAP_NET_ADMIN: 12,
    CAP_SYS_ADMIN: 21,
  };
  return BigInt(found ?? known[name]);
}
