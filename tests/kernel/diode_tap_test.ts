/**
 * What a real tap does with frames: every one is written to a tap in a network namespace of the
 * test's own, and the kernel's decision, and what the host then receives, are the judge's.
 */
import { assert, assertEquals, fail } from "@std/assert";
import { shippedDiode } from "../../diodes/plan.ts";
import { judgePredicate } from "../../src/automaton/judgement.ts";
import { equalBytes, hex } from "../../src/base/bytes.ts";
import { parseDiodeFile } from "../../src/policy/diode_file.ts";
import { seeded } from "../judge/random.ts";
import { expect, judgeHateless, sameEvents } from "./expected.ts";
import { anyFrame, anyPayload, LINK, serialise, spec } from "./frames.ts";
import { kernelTest } from "./loaded_diode.ts";
import { TapWorld } from "./tap_world.ts";

const hateless = () =>
  judgePredicate(parseDiodeFile(shippedDiode("hateless"), "hateless.toml").predicate);

kernelTest("120,000 frames on a tap: decisions, events and what the host hears", () => {
  const random = seeded(4);
  using world = new TapWorld(hateless(), LINK);
  const seen = new Map<string, number>();
  for (let batch = 0; batch < 240; batch++) {
    const events: Record<string, unknown>[] = [];
    const passing: Uint8Array[] = [];
    for (let i = 0; i < 500; i++) {
      const frame = anyFrame(random, anyPayload(random));
      const expected = expect(frame, LINK, judgeHateless);
      world.tap.write(frame);
      seen.set(expected.reason, (seen.get(expected.reason) ?? 0) + 1);
      if (expected.event === null) passing.push(frame);
      else events.push(expected.event);
    }
    sameEvents(world.diode.events(), events);
    for (const frame of passing) {
      const heard = world.ear.receive() ?? fail(`not heard: ${hex(frame)}`);
      if (!equalBytes(heard, frame)) fail(`heard ${hex(heard)}, not ${hex(frame)}`);
    }
    assertEquals(world.ear.receive(), null);
    world.discardSent();
  }
  for (const [reason, count] of Object.entries(world.diode.counters())) {
    assertEquals(count, BigInt(seen.get(reason) ?? 0), reason);
    const never = ["events_lost", "empty", "walk_limit"].includes(reason);
    assert(never || count >= 100n, `too few: ${reason}`);
  }
});

kernelTest("frames up to 500,000 bytes, lengths true or lying: none is heard", () => {
  using world = new TapWorld(hateless(), LINK);
  const sizes = [1515, 2000, 3500, 4000, 9000, 20_000, 65_535, 65_549, 65_550, 131_072, 500_000];
  let written = 0;
  for (const size of sizes) {
    for (const totalLength of [null, 40, 1500]) {
      const payload = new Uint8Array(size - 54);
      try {
        world.tap.write(serialise(spec({ payload, totalLength })));
        written++;
      } catch (error) {
        // The tap itself may refuse the largest for want of memory.
        assert(size > 65_549, `${size}: ${error}`);
      }
    }
  }
  const counters = world.diode.counters();
  assertEquals([counters.pass, counters.pass_empty], [0n, 0n]);
  // What the kernel cannot make linear it drops before the program: neither heard nor counted.
  const certain = 3 * sizes.filter((size) => size <= 9000).length;
  assert(counters.oversize >= certain && counters.oversize <= written, `${counters.oversize}`);
  assertEquals(BigInt(world.diode.events().length), counters.oversize);
  assertEquals(world.ear.receive(), null);
});
