import { assert, assertEquals, assertThrows } from "@std/assert";
import { openLibraries, SystemError } from "../../ffi/native.ts";
import { kill, openInheritable, startTimeOf, unixListen } from "../../ffi/process.ts";
import { VeiError } from "../../src/base/errors.ts";
import { run, start } from "../../src/host/run.ts";

openLibraries();

function folder() {
  const path = Deno.makeTempDirSync();
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

Deno.test("unixListen: mode 0600, inherited, answers; a stale socket is replaced, a file is not", async () => {
  using at = folder();
  const path = `${at.path}/qmp.sock`;
  unixListen(path).close();
  using socket = unixListen(path);
  assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  const seen = await run("readlink", [`/proc/self/fd/${socket.number}`]);
  assert(new TextDecoder().decode(seen.stdout).startsWith("socket:["));
  using conn = await Deno.connect({ transport: "unix", path });
  assertEquals(conn.remoteAddr.transport, "unix");
  Deno.writeTextFileSync(`${at.path}/file`, "kept");
  assertEquals(assertThrows(() => unixListen(`${at.path}/file`), VeiError).code, "socket-path");
  assertEquals(Deno.readTextFileSync(`${at.path}/file`), "kept");
  assertThrows(() => unixListen(`${at.path}/${"x".repeat(108)}`), VeiError, "107 bytes");
  assertThrows(() => unixListen(`${at.path}/none/x`), SystemError, "ENOENT");
});

Deno.test("openInheritable: appends, reads, and follows no symbolic link", async () => {
  using at = folder();
  const path = `${at.path}/log`;
  {
    using log = openInheritable(path, "append");
    await run("sh", ["-c", `echo one >> /proc/self/fd/${log.number}`]);
    using again = openInheritable(path, "read");
    const read = await run("cat", [`/proc/self/fd/${again.number}`]);
    assertEquals(new TextDecoder().decode(read.stdout), "one\n");
  }
  assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  Deno.symlinkSync(path, `${at.path}/link`);
  const error = assertThrows(() => openInheritable(`${at.path}/link`, "append"), SystemError);
  assertEquals(error.errno, "ELOOP");
});

Deno.test("kill hits only the process that was meant", async () => {
  const child = start("sleep", ["60"]);
  const started = startTimeOf(child.pid)!;
  assert(/^\d+$/.test(started), started);
  assertEquals(kill(child.pid, "SIGKILL", String(Number(started) + 1)), false);
  assertEquals(startTimeOf(child.pid), started);
  assertEquals(kill(child.pid, "SIGKILL", started), true);
  assertEquals((await child.status).signal, "SIGKILL");
  assertEquals(startTimeOf(child.pid), null);
  assertEquals(kill(child.pid, "SIGTERM"), false);
  assertThrows(() => kill(1, "SIGTERM"), RangeError);
  assertThrows(() => kill(0, "SIGTERM"), RangeError);
  assertThrows(() => kill(-1, "SIGTERM"), RangeError);
});
