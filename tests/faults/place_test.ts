/** The place is taken: by another daemon, another program, somebody else's interface or program. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { isAlive } from "../../enclave/processes.ts";
import { setUp } from "../../ffi/netdev.ts";
import { createNetns, withNetns } from "../../ffi/netns.ts";
import { linkState } from "../../ffi/rtnetlink.ts";
import { XdpLink } from "../../ffi/xdp_link.ts";
import { constantProgram } from "../kernel/bpf_support.ts";
import { addInterface } from "../kernel/net_support.ts";
import { fault } from "./fault.ts";
import { leftOvers } from "../tools/left_overs.ts";

const XDP_PASS = 2;

fault("the API's port is taken", async (world) => {
  const box = await world.box();
  using _listener = Deno.listen({ hostname: "127.0.0.1", port: 8787 });
  assertMatch(await box.refuses(69, "port-taken"), /127\.0\.0\.1:8787[^]*\[api\] listen/);
});

fault("an interface of the tap's name that is not ours", async (world) => {
  const box = await world.box();
  const { netns, tap } = box.instance;
  createNetns(netns);
  box.inside(() => {
    addInterface(tap, "bridge");
    setUp(tap, true);
  });
  box.gate.excuse(); // It is not the tap that is up.
  const before = box.tap();
  const said = await box.refuses(75, "tap-foreign", { left: ["namespace"] });
  assertMatch(said, /nsenter --net=/);
  assertEquals(box.tap(), before);
  assert(box.gate.open.length > 0, "the test's own watch saw nothing");
});

fault("a namespace of our name with somebody's interface in it", async (world) => {
  const box = await world.box();
  const { netns } = box.instance;
  createNetns(netns);
  const state = () => withNetns(netns, () => linkState("other"));
  withNetns(netns, () => {
    addInterface("other", "bridge");
    setUp("other", true);
  });
  const before = state();
  assertMatch(await box.refuses(75, "netns-foreign", { left: ["namespace"] }), /other/);
  assertEquals(state(), before);
});

fault("a second daemon", async (world) => {
  const box = await world.box();
  const first = box.serve();
  const qemu = await first.booting();
  const status = (await box.status())!;
  const there = await leftOvers(box.instance);
  const second = await box.vei(["serve"], { wrap: ["unshare", "--net"] });
  assertEquals(second.code, 75, second.stderr);
  assertMatch(second.stderr, /\[state-locked\]\n +stop it first/);

  // The same tap, pins and run folder, but another state folder, from another namespace.
  const state = await Deno.makeTempDir({ prefix: "vei-faults-" });
  try {
    for (const part of ["images", "models"]) {
      await Deno.symlink(`${box.instance.state}/${part}`, `${state}/${part}`);
    }
    for (const words of [["serve"], ["diode", "detach"]]) {
      const other = await box.vei(words, { state, wrap: ["unshare", "--net"] });
      assertEquals(other.code, 75, other.stderr);
      assertMatch(other.stderr, new RegExp(`using /run/${box.instance.name} .*\\[state-locked\\]`));
    }
  } finally {
    await Deno.remove(state, { recursive: true });
  }
  assertEquals((await box.vei(["diode", "detach"])).code, 75);

  const after = (await box.status())!;
  assertEquals([after.pid, after.phase === "gate-lost"], [status.pid, false], first.log);
  assert(isAlive(qemu) && box.tap()!.up, first.log);
  assertEquals(after.diode!.linkId, status.diode!.linkId);
  assertEquals(await leftOvers(box.instance), there);
  assertEquals((await first.stop()).code, 0);
});

fault("somebody else's program on our hook", async (world) => {
  const box = await world.box();
  const first = box.serve();
  await first.booting();
  assertEquals((await first.stop()).code, 0);
  assertEquals((await box.vei(["diode", "detach"])).code, 0);
  assertEquals(box.tap()!.xdpProgramId, null);
  {
    using program = constantProgram(XDP_PASS);
    using link = box.inside(() => XdpLink.attach(program, linkState(box.instance.tap)!.index));
    const { id, programId } = link.info();
    const left = ["namespace", "run folder"];
    const said = await box.refuses(75, "diode-hook-taken", { left });
    assertMatch(said, new RegExp(`program ${programId}\\b[^]*ip -d link`));
    assertEquals(link.info(), { id, programId, ifindex: box.tap()!.index });
    const tap = box.tap()!;
    assertEquals({ program: tap.xdpProgramId, up: tap.up }, { program: programId, up: false });
    link.detach();
  }
  const second = box.serve();
  await second.booting();
  const { diode } = (await box.status())!;
  assertEquals([box.tap()!.xdpProgramId, diode!.adopted], [diode!.programId, false]);
  assertEquals((await second.stop()).code, 0);
});
