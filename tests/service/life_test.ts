/** The real unit under a real systemd: from its start to its end, with everything in between. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { DAEMON_CAPABILITIES, DAEMON_USER } from "../../src/install/unit.ts";
import { hex } from "../../src/base/bytes.ts";
import { loadNodeKey } from "../../src/store/node_key.ts";
import { SERVICE } from "../../src/install/layout.ts";
import { until } from "../tools/daemon.ts";
import { SystemdWorld } from "./systemd_world.ts";
import { ask, CONFIG, install, put, start, stop } from "./vei_service.ts";

const STOP_MS = 10_000;
const CONFIG_PATH = "/etc/vei/vei.toml";
/** What the daemon may write to, in its own mount namespace. */
const WRITABLE = ["/dev/pts", "/dev/shm", "/proc", "/proc/sys/user", "/run/vei", "/tmp"]
  .concat("/sys/fs/bpf/vei", "/var/lib/vei", "/var/tmp", "/dev/net/tun");

Deno.test("the unit's whole life under systemd", async (test) => {
  await using world = await SystemdWorld.start();
  await install(world, { says: ["I", " hate", " it"] });
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
  });

  await test.step("it answers; a forbidden word is stopped; both leave a receipt that verifies", async () => {
    const key = (await world.must(["vei", "receipt", "key"])).trim().split(/\s+/).at(-1)!;
    for (const [tokens, outcome] of [[1, "completed"], [16, "aborted"]] as const) {
      const { status, body, receipt } = await ask(world, tokens);
      assertEquals(status, 200, JSON.stringify(body));
      assertMatch(JSON.stringify(body), /"content":"I ?"/);
      assertMatch(JSON.stringify(body), new RegExp(`"outcome":"${outcome}"`));
      await world.must(["rm", "-f", "/tmp/receipt.json"]);
      await world.must(["vei", "receipt", "export", receipt, "--out", "/tmp/receipt.json"]);
      const said = await world.must(["vei", "verify", "--key", key, "/tmp/receipt.json"]);
      assertStringIncludes(said, "VALID");
    }
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

  await test.step("systemctl reload takes over a diode, and fails when that is refused", async () => {
    const status = async () => JSON.parse(await world.must(["vei", "status", "--json"])).daemon;
    const before = await status();
    const diode = 'name = "yakless"\ndescription = "no yak"\nscope = "packet"\n' +
      "predicate = 'not contains \"yak\" within 512'\n";
    await put(world.path("/etc/vei/yakless.toml"), diode);
    await put(world.path(CONFIG_PATH), `${CONFIG}[diode]\nname = "/etc/vei/yakless.toml"\n`);
    await world.must(["systemctl", "reload", "vei"]);
    const after = await status();
    assertEquals([after.reload.generation, after.diode.name], [2, "yakless"]);
    assert(after.diode.programId !== before.diode.programId);
    assertEquals([after.pid, after.diode.linkId], [before.pid, before.diode.linkId]);
    await put(world.path(CONFIG_PATH), `${CONFIG}memory = "300 MiB"\n`);
    const refused = await world.run(["systemctl", "reload", "vei"]);
    assert(refused.code !== 0, "a refused reload that systemd calls good");
    assertMatch((await world.journal(SERVICE)).join("\n"), /enclave\.memory.*config-needs-restart/);
    assertEquals((await status()).reload.generation, 2);
    assertEquals((await properties()).ActiveState, "active");
    assertEquals((await ask(world, 1)).status, 200);
    await put(world.path(CONFIG_PATH), CONFIG);
    await world.must(["systemctl", "reload", "vei"]);
  });

  await test.step("killed, it comes back, and the diode was there all the time", async () => {
    const [killed, begun] = [await pid(), performance.now()];
    assert(Number(killed) > 1, "no daemon; kill(1) takes 0 for its whole process group");
    await world.must(["kill", "-KILL", killed]);
    await until("the next daemon", async () => {
      const { ActiveState, NRestarts } = await properties();
      return ActiveState === "active" && NRestarts === "1" && await pid() !== killed ? true : null;
    });
    took.push(`kill -9 to ready ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    assertStringIncludes((await world.journal(SERVICE)).join("\n"), "adopted, still pinned");
    assertEquals((await ask(world, 1)).status, 200);
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

    const made = await loadNodeKey(world.path("/var/lib/vei/other.key"), {
      mayMake: true,
      random: (count) => crypto.getRandomValues(new Uint8Array(count)),
    });
    await Deno.mkdir(world.path("/etc/credstore"), { mode: 0o700 });
    await Deno.rename(
      world.path("/var/lib/vei/other.key"),
      world.path("/etc/credstore/vei.key"),
    );
    for (const name of ["receipts.log", "kv.db", "kv.db-wal", "kv.db-shm", "node.key"]) {
      await Deno.remove(world.path(`/var/lib/vei/${name}`)).catch(() => {});
    }
    await start(world);
    const { receipt } = await ask(world, 1);
    await world.must(["rm", "/tmp/receipt.json"]);
    await world.must(["vei", "receipt", "export", receipt, "--out", "/tmp/receipt.json"]);
    const key = hex(made.publicKey.raw);
    assertStringIncludes(
      await world.must(["vei", "verify", "--key", key, "/tmp/receipt.json"]),
      "VALID",
    );
    assertStringIncludes(await world.must(["vei", "receipt", "key"]), key);
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
