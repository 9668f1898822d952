import { assert, assertEquals, assertThrows } from "@std/assert";
import { BpfMap } from "../../ffi/bpf_map.ts";
import { XDP } from "../../ffi/bpf_program.ts";
import { openLibraries, SystemError } from "../../ffi/native.ts";
import { deleteInterface } from "../../ffi/netdev.ts";
import { XdpLink } from "../../ffi/xdp_link.ts";
import { VeiError } from "../../src/base/errors.ts";
import { Bench, constantProgram, tableProgram } from "./bpf_support.ts";

openLibraries();

const FIXTURES = new URL("./fixtures/", import.meta.url).pathname;

Deno.test("a link holds the hook alone and lives with its descriptor", () => {
  using bench = new Bench();
  using program = constantProgram(XDP.drop);
  using other = constantProgram(XDP.pass);
  {
    using link = bench.inside(() => XdpLink.attach(program, bench.ifindex));
    const { id, ...rest } = link.info();
    assert(id > 0);
    assertEquals(rest, { programId: program.info().id, ifindex: bench.ifindex });
    assertEquals(bench.programOnTap, program.info().id);
    const busy = assertThrows(
      () => bench.inside(() => XdpLink.attach(other, bench.ifindex)),
      SystemError,
    );
    assertEquals([busy.errno, busy.exit], ["EBUSY", 75]);
    link.replace(other);
    assertEquals(link.info(), { id, programId: other.info().id, ifindex: bench.ifindex });
    assertEquals(bench.programOnTap, other.info().id);
  }
  // The kernel lets go of a link a moment after its last descriptor.
  using _next = attachSoon(bench, program);
});

function attachSoon(bench: Bench, program: ReturnType<typeof constantProgram>): XdpLink {
  for (let left = 100;; left--) {
    try {
      return bench.inside(() => XdpLink.attach(program, bench.ifindex));
    } catch (error) {
      if (left === 0 || !(error instanceof SystemError && error.errno === "EBUSY")) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

Deno.test("no such interface", () => {
  using bench = new Bench();
  using program = constantProgram(XDP.drop);
  const error = assertThrows(() => bench.inside(() => XdpLink.attach(program, 9999)), SystemError);
  assertEquals(error.errno, "EINVAL");
});

Deno.test("a dead link says so: detached, or its interface deleted", () => {
  using bench = new Bench();
  using program = constantProgram(XDP.drop);
  using first = bench.inside(() => XdpLink.attach(program, bench.ifindex));
  Deno.mkdirSync(bench.pins);
  first.pin(bench.pin);
  using second = XdpLink.fromPin(bench.pin);
  second.detach();
  assertEquals(first.info().ifindex, 0);
  assertEquals(bench.programOnTap, null);
  using third = bench.inside(() => XdpLink.attach(program, bench.ifindex));
  bench.inside(() => deleteInterface(bench.name));
  assertEquals(third.info().ifindex, 0);
});

Deno.test("a pin keeps the gate shut after kill -9 of the process that made it", async () => {
  using bench = new Bench();
  Deno.mkdirSync(bench.pins);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--quiet", "--no-lock", "--no-check", `${FIXTURES}pin_link.ts`],
      ...[bench.netns, String(bench.ifindex), bench.pin],
    ],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const said = JSON.parse(new TextDecoder().decode(value));
  child.kill("SIGKILL");
  assertEquals((await child.status).signal, "SIGKILL");
  await reader.cancel();
  using link = XdpLink.fromPin(bench.pin);
  assertEquals(link.info(), { ...said, ifindex: bench.ifindex });
  assertEquals(bench.programOnTap, said.programId);
});

Deno.test("only a link is taken for a link", () => {
  using bench = new Bench();
  Deno.mkdirSync(bench.pins);
  const missing = assertThrows(() => XdpLink.fromPin(bench.pin), SystemError);
  assertEquals(missing.errno, "ENOENT");
  using table = BpfMap.create({ kind: "array", name: "t_table", valueSize: 8, maxEntries: 1 });
  using program = tableProgram(table);
  for (const fd of [table.fd, program.fd]) {
    // A pin is made by descriptor, whatever that is.
    XdpLink.prototype.pin.call({ fd } as unknown as XdpLink, bench.pin);
    const error = assertThrows(() => XdpLink.fromPin(bench.pin), VeiError);
    assertEquals([error.code, error.exit], ["pin-foreign", 78]);
    Deno.removeSync(bench.pin);
  }
});
