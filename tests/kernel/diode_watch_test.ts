import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { shippedDiode } from "../../diodes/plan.ts";
import { provenDiode } from "../../diodes/proof.ts";
import { type Guard, raiseDiode } from "../../diodes/manager.ts";
import { watchGuard } from "../../diodes/watch.ts";
import { XDP } from "../../ffi/bpf_program.ts";
import { openLibraries } from "../../ffi/native.ts";
import { deleteInterface, setUp } from "../../ffi/netdev.ts";
import { LinkEvents } from "../../ffi/rtnetlink.ts";
import { XdpLink } from "../../ffi/xdp_link.ts";
import { VeiError } from "../../src/base/errors.ts";
import { Bench, constantProgram, RULES } from "./bpf_support.ts";

openLibraries();

const plan = await provenDiode(shippedDiode("hateless"), "hateless", RULES);

function raise(bench: Bench): Guard {
  return bench.inside(() => raiseDiode({ plan, ifindex: bench.ifindex, pins: bench.pins }));
}

/** What can happen behind our back, and what the check then says. */
const FAULTS: Record<string, { fault: (bench: Bench) => void; says: RegExp }> = {
  "the link is detached through another descriptor": {
    fault(bench) {
      using other = XdpLink.fromPin(bench.pin);
      other.detach();
    },
    says: /link was detached/,
  },
  "the interface is deleted": {
    fault: (bench) => bench.inside(() => deleteInterface(bench.name)),
    says: /its interface is gone/,
  },
  "the pin is removed": {
    fault: (bench) => Deno.removeSync(bench.pin),
    says: /Cannot open the pin .*ENOENT/,
  },
  "the program is replaced on our link": {
    fault(bench) {
      using other = XdpLink.fromPin(bench.pin);
      using program = constantProgram(XDP.pass);
      other.replace(program);
    },
    says: /the link runs program \d+, not \d+/,
  },
  "another link is pinned in its place": {
    fault(bench) {
      using other = new Bench();
      using program = constantProgram(XDP.pass);
      using link = other.inside(() => XdpLink.attach(program, other.ifindex));
      Deno.removeSync(bench.pin);
      link.pin(bench.pin);
    },
    says: /the pin .* holds link \d+, not \d+/,
  },
};

for (const [what, { fault, says }] of Object.entries(FAULTS)) {
  Deno.test(`check: ${what}`, () => {
    using bench = new Bench();
    using guard = raise(bench);
    const check = () => bench.inside(() => guard.check());
    check();
    fault(bench);
    const error = assertThrows(check, VeiError);
    assertEquals([error.code, error.exit], ["diode-lost", 69]);
    assertMatch(error.message, says);
  });
}

Deno.test("check: cheap, and refused from another namespace", () => {
  using bench = new Bench();
  using guard = raise(bench);
  const begin = performance.now();
  bench.inside(() => {
    for (let i = 0; i < 100; i++) guard.check();
  });
  const ms = (performance.now() - begin) / 100;
  assert(ms < 20, `a check takes ${ms} ms`);
  assertMatch(assertThrows(() => guard.check(), VeiError).message, /another network namespace/);
});

/** A guard whose check does what it is told. */
function fakeGuard() {
  return {
    looks: 0,
    wrong: null as Error | null,
    check() {
      this.looks++;
      if (this.wrong) throw this.wrong;
    },
  };
}

/** Events that come when told to. */
function fakeEvents() {
  let fire = () => {};
  return {
    change: () => fire(),
    wait: (ms: number) =>
      new Promise<boolean>((resolve) => {
        const timer = setTimeout(resolve, ms, false);
        fire = () => {
          clearTimeout(timer);
          resolve(true);
        };
      }),
  };
}

const LOST = new VeiError({ code: "diode-lost", message: "gone", exit: 69 });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("the watch looks every period and at every change, and tells once", async () => {
  const [guard, events, end] = [fakeGuard(), fakeEvents(), new AbortController()];
  const told: VeiError[] = [];
  const watch = watchGuard({
    guard,
    events,
    signal: end.signal,
    onLost: (error) => told.push(error),
    periodMs: 300,
  });
  await sleep(150);
  assertEquals(guard.looks, 1);
  events.change();
  await sleep(10);
  assertEquals(guard.looks, 2);
  await sleep(500);
  assert(guard.looks >= 3);
  guard.wrong = LOST;
  events.change();
  await watch;
  assertEquals(told, [LOST]);
});

Deno.test("the watch: the caller's checks count, also when looking itself fails", async () => {
  const { signal } = new AbortController();
  const told: VeiError[] = [];
  const onLost = (error: VeiError) => told.push(error);
  const failing = () => Promise.reject(new Error("no such file"));
  await watchGuard({ guard: fakeGuard(), events: fakeEvents(), signal, extra: failing, onLost });
  const events = { wait: () => Promise.reject(LOST) };
  await watchGuard({ guard: fakeGuard(), events, signal, onLost });
  assertEquals(told.map(({ code }) => code), ["diode-lost", "diode-lost"]);
  assertMatch(told[0].message, /cannot be watched: no such file/);
});

Deno.test("the watch ends with its signal, without a word", async () => {
  const [guard, end] = [fakeGuard(), new AbortController()];
  const onLost = () => {
    throw new Error("called");
  };
  const watch = watchGuard({ guard, events: fakeEvents(), signal: end.signal, onLost });
  await sleep(50);
  guard.wrong = LOST;
  end.abort();
  const begin = performance.now();
  await watch;
  assert(performance.now() - begin < 500);
});

Deno.test("the watch sees a real change at once: the interface goes, the link is detached", async () => {
  for (const fault of ["detach", "delete", "detach and down"]) {
    using bench = new Bench();
    using guard = raise(bench);
    bench.inside(() => setUp(bench.name, true));
    using events = bench.inside(() => new LinkEvents());
    const end = new AbortController();
    let lost: VeiError | null = null;
    const begin = performance.now();
    const watch = watchGuard({
      guard: { check: () => bench.inside(() => guard.check()) },
      events,
      signal: end.signal,
      onLost: (error) => lost = error,
      periodMs: fault === "detach" ? 1000 : 60_000,
    });
    await sleep(100);
    if (fault === "delete") bench.inside(() => deleteInterface(bench.name));
    else {
      using other = XdpLink.fromPin(bench.pin);
      other.detach();
      if (fault !== "detach") bench.inside(() => setUp(bench.name, false));
    }
    await watch;
    assertEquals((lost as VeiError | null)?.code, "diode-lost");
    const ms = performance.now() - begin;
    assert(ms < 2000, `seen after ${ms} ms`);
  }
});
