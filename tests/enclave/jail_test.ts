import { assert, assertEquals, assertRejects } from "@std/assert";
import { closureOf, qemuClosure, requireBuilders } from "../../enclave/closure.ts";
import { JAIL_DEVICES, JAIL_USER, type JailFile, limitsFor } from "../../enclave/jail.ts";
import { launch } from "../../enclave/launch.ts";
import { openInheritable } from "../../ffi/process.ts";
import { openLibraries } from "../../ffi/native.ts";
import { VeiError } from "../../src/base/errors.ts";
import { mustRun } from "../../src/host/run.ts";

openLibraries();

// Debian's perl-base is on every Debian system: a program with sockets and system calls.
const PERL = "/usr/bin/perl", PERL_LIBRARY = "/usr/lib/x86_64-linux-gnu/perl-base";
const SCRIPT = new URL("./fixtures/escape.pl", import.meta.url).pathname;

async function perlFiles(): Promise<JailFile[]> {
  return [...await closureOf([PERL]), { source: PERL_LIBRARY, target: PERL_LIBRARY }];
}

/** Starts a program in the jail and waits. @returns what it printed and its exit code. */
async function inJail(folder: string, files: JailFile[], command: string[], data: string[] = []) {
  const log = `${folder}/log`;
  const child = launch({
    log,
    prepare: (keep) => ({
      user: JAIL_USER,
      files,
      data: data.map((path, i) => ({
        fd: keep(openInheritable(path, "read")),
        target: `/vm/data${i}`,
      })),
      devices: JAIL_DEVICES,
      limits: limitsFor(64, 0),
      command,
    }),
  });
  const { code } = await child.status;
  return { code, text: await Deno.readTextFile(log) };
}

function outcomes(text: string): Map<string, string> {
  return new Map(
    text.trim().split("\n").map((line) => line.split("\t", 2) as [string, string]),
  );
}

/** What a host offers to everybody: a socket, a folder, a port. */
async function hostWithOpenDoors() {
  const folder = await Deno.makeTempDir({ prefix: "vei-doors-" });
  const doors = `${folder}/doors`;
  await Deno.mkdir(doors);
  const unix = Deno.listen({ transport: "unix", path: `${doors}/socket` });
  const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await Deno.chmod(folder, 0o755);
  await Deno.chmod(doors, 0o777);
  await Deno.chmod(`${doors}/socket`, 0o666);
  const { port } = tcp.addr as Deno.NetAddr;
  return {
    folder,
    args: [`${doors}/socket`, doors, String(port), String(Deno.pid)],
    async [Symbol.asyncDispose]() {
      unix.close();
      tcp.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("nothing of the host can be reached, seen, made or opened from inside", async () => {
  await using host = await hostWithOpenDoors();
  const source = await Deno.readTextFile(SCRIPT);

  // The same attempts by the same user outside, so that each that fails inside fails for the jail.
  const outside = outcomes(
    await mustRun("setpriv", [
      ...["--reuid", String(JAIL_USER), "--regid", String(JAIL_USER), "--clear-groups"],
      ...["--inh-caps=-all", PERL, "-e", source, ...host.args],
    ]),
  );
  for (const name of ["unix", "loopback", "see", "proc", `create ${host.args[1]}`]) {
    assertEquals(outside.get(name), "got", `${name}, outside`);
  }
  for (const name of ["create /tmp", "read /etc/passwd", "device zero", "unshare user"]) {
    assertEquals(outside.get(name), "got", `${name}, outside`);
  }

  const { code, text } = await inJail(host.folder, await perlFiles(), [
    ...[PERL, "-e", source],
    ...host.args,
  ]);
  assertEquals(code, 0, text);
  const inside = outcomes(text);
  assertEquals([...inside.keys()], [...outside.keys()]);
  const got = [...inside].filter(([, how]) => !how.startsWith("no: "));
  assertEquals(got, []);
});

Deno.test("inside there are the files that were given, two devices, and nothing else", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/secret`, "bytes by descriptor", { mode: 0o600 });
    const list = "sub l { my $d = shift; opendir(my $h, $d) or return; for (sort readdir $h) { " +
      'next if /^\\.\\.?$/; my $p = "$d/$_"; -d $p && !-l $p ? l($p) : print "$p\\n" } } ' +
      'l(""); open(my $f, "<", "/vm/data0"); print <$f>; ' +
      'print "\\n", (open(my $w, ">", "/vm/data0") ? "writable" : "read-only"), "\\n"; ' +
      'print join(",", map { "$_=$ENV{$_}" } grep { $_ ne "PWD" } sort keys %ENV), "\\n"';
    const files = await perlFiles();
    const { text } = await inJail(folder, files, [PERL, "-e", list], [`${folder}/secret`]);
    const lines = text.split("\n");
    const paths = lines.filter((line) => line.startsWith("/"));
    const given = new Set([...files.map(({ target }) => target), ...JAIL_DEVICES, "/vm/data0"]);
    const strange = paths.filter((path) => !given.has(path) && !path.startsWith(PERL_LIBRARY));
    assertEquals(strange, []);
    assertEquals(lines.slice(-4), ["bytes by descriptor", "read-only", "", ""]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what the program prints is bounded, and none of our descriptors reaches it", async () => {
  const folder = await Deno.makeTempDir();
  const secret = openInheritable(SCRIPT, "read"); // A descriptor that was forgotten.
  try {
    const probe = 'for (3 .. 200) { open(my $f, "<&=", $_) and $_ != fileno(STDIN) and ' +
      'sysread($f, my $b, 1) and print "fd $_\\n" } $| = 1; print "x" x 1000 for 1 .. 100_000';
    const { code, text } = await inJail(folder, await perlFiles(), [PERL, "-e", probe]);
    assert(code !== 0, "it was ended by SIGXFSZ");
    assertEquals(text.match(/fd \d+/g), null);
    assertEquals(text.length, 64 * 1024);
  } finally {
    secret.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("QEMU's files are there, without links on the way, and no folder is among them", async () => {
  const files = await qemuClosure();
  assert(files.length > 20);
  for (const { source } of files) {
    assertEquals(await Deno.realPath(source), source);
    assert((await Deno.stat(source)).isFile, source);
  }
});

Deno.test("without QEMU, a library of it or the jail's own programs, it is told which", async () => {
  const qemu = await assertRejects(() => qemuClosure("/usr/bin/qemu-of-nobody"), VeiError);
  assertEquals([qemu.code, qemu.exit], ["qemu-missing", 69]);
  const bwrap = await assertRejects(() => requireBuilders({ "bwrap-of-nobody": "x" }), VeiError);
  assertEquals([bwrap.code, bwrap.exit], ["jail-program-missing", 69]);
  await requireBuilders();
});
