/** A guest that was taken over, behind the real diode in the real jail: nothing of it gets out. */
import { assert, assertEquals } from "@std/assert";
import type { Seen } from "./fixtures/hostile_world.ts";
import { testState } from "./setup_support.ts";

/** Emulation: about one boot in thirty ends before the guest's script has begun. */
const BOOTS = 3;

async function see(how: "guarded" | "open"): Promise<Seen> {
  for (let boot = 1;; boot++) {
    const seen = await bootOnce(how);
    const frames = [...Object.values(seen.heard), ...Object.values(seen.counters)];
    // A guest that sent not one frame has not run; behind the diode too, each would be counted.
    if (frames.some((count) => count > 0) || boot === BOOTS) return seen;
  }
}

async function bootOnce(how: "guarded" | "open"): Promise<Seen> {
  const fixture = new URL("fixtures/hostile_world.ts", import.meta.url).pathname;
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", fixture, testState(), how],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  assert(output.success, text.decode(output.stderr));
  const seen: Seen = JSON.parse(text.decode(output.stdout));
  // It powers off when it has tried everything.
  assert(seen.ended.includes("ended with code 0"), seen.ended);
  return seen;
}

Deno.test("a hostile guest reaches nothing but its peer's connections", async () => {
  const { accepted, heard, counters } = await see("guarded");
  assertEquals(accepted, { box: 0, link: 0 });
  // That the host asks whether the server is ready, and is refused, is the link's own language.
  assertEquals(Object.keys(heard), ["refusal from the guest's port"]);
  assertEquals([counters.pass, counters.predicate], [0, 0]);
  assertEquals(counters.pass_empty, heard["refusal from the guest's port"]);
  // What it tried, by the first rule that it broke: ARP and other short frames; IPv6 and its
  // announcements; another card; 4000-byte pings in pieces; ICMP, DNS, TFTP, DHCP; strangers'
  // addresses; other ports; a connection of its own from the right port.
  for (
    const reason of ["short", "length", "mac", "fragment", "protocol", "address", "port", "flags"]
  ) {
    assert(counters[reason] > 0, `${reason}: ${JSON.stringify(counters)}`);
  }
});

Deno.test("without the diode the same guest does get out", async () => {
  const { accepted, heard } = await see("open");
  assert(accepted.link > 0, JSON.stringify({ accepted, heard }));
  // The link namespace alone keeps it from the box.
  assertEquals(accepted.box, 0);
  const tried = ["ethertype 0806", "ethertype 86dd", "IP protocol 1", "IP protocol 17"];
  for (const what of [...tried, "TCP from port other, flags 2", "TCP from port 8080, flags 2"]) {
    assert(heard[what] > 0, `${what}: ${JSON.stringify(heard)}`);
  }
});
