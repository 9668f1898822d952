/** `/metrics`, read by Prometheus' own parser, against what status and receipts say. */
import { assert, assertEquals } from "@std/assert";
import { openLibraries } from "../../ffi/native.ts";
import type { Receipt } from "../../src/receipt/statement.ts";
import { Box } from "../tools/daemon.ts";
import { type Metrics, scrape } from "../tools/prometheus.ts";
import { receiptsOf } from "../tools/receipts.ts";

openLibraries();

const scraped = (box: Box) => scrape(box.fetch("/metrics"));

const VERDICTS = ["completed", "aborted_by_monitor", "aborted_by_kernel", "refused", "interrupted"];

/**
 * Exchanges by verdict, receipts and released bytes are those of the receipts themselves.
 * @param all of the log, read later than the values: an incident may have been added since.
 */
function assertFits(values: Metrics, all: Receipt[]): void {
  const receipts = all.slice(0, values.vei_receipts_total);
  assertEquals(values.vei_receipts_total, receipts.length);
  assertEquals(all.slice(receipts.length).filter(({ kind }) => kind !== "incident"), []);
  const exchanges = receipts.filter(({ kind }) => kind === "exchange");
  const kinds = exchanges.map(({ verdict }) =>
    verdict.outcome === "aborted" ? `aborted_by_${verdict.by}` : verdict.outcome
  );
  for (const verdict of VERDICTS) {
    assertEquals(
      values[`vei_exchanges_total{verdict="${verdict}"}`],
      kinds.filter((kind) => kind === verdict).length,
      verdict,
    );
  }
  const released = receipts.reduce((sum, { output }) => sum + (output?.bytes ?? 0), 0);
  assertEquals(values.vei_released_bytes_total, released);
}

Deno.test("a daemon without virtual machine: counts fit the receipts, and nothing says gate", async () => {
  await using box = await Box.make({ model: null, image: false });
  const daemon = box.serve({ plain: "mock" });
  const status = await daemon.ready();
  const { values: before, types } = await scraped(box);
  assertFits(before, []);
  assertEquals(before.vei_withheld_bytes_total, 0);
  for (const phase of ["starting", "booting", "ready", "restarting", "gate-lost", "stopping"]) {
    assertEquals(before[`vei_daemon_phase{phase="${phase}"}`], phase === "ready" ? 1 : 0);
  }
  assertEquals(before.process_start_time_seconds, Date.parse(status.started) / 1000);
  const { version, instance } = status;
  assertEquals(before[`vei_build_info{version="${version}",instance="${instance}"}`], 1);
  assert(before.process_resident_memory_bytes > 10e6 && before.process_resident_memory_bytes < 1e9);
  assertEquals(Object.keys(before).filter((name) => /gate|diode|enclave|guest/.test(name)), [
    'vei_daemon_phase{phase="gate-lost"}',
  ]);

  for (let i = 0; i < 3; i++) await (await box.tell("six tokens and no bad word")).text();
  await (await box.tell("all I hate", { stream: true })).text();
  await box.fetch("/api/generate", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ prompt: "hate", wait_time: 5 }),
  }).then((answer) => answer.text());
  const { values: after } = await scraped(box);
  assertFits(after, await receiptsOf(box));
  assertEquals(after.vei_receipts_total, 5);
  assertEquals(after.vei_exchanges_running, 0);
  assertEquals(after.vei_queue_length, 0);
  assertEquals(after.vei_queue_limit, 64);
  assertEquals(after.vei_tokens_total, 3 * 6 + 3);
  // "all I hate" came from the model; all of it but the match was released.
  assertEquals(after.vei_withheld_bytes_total, "hate".length);
  for (const [name, type] of Object.entries(types)) {
    if (type !== "counter") continue;
    for (const key of Object.keys(after)) {
      // The parser takes `_total` off a counter's name.
      if (key.startsWith(`${name}_total`)) assert(after[key] >= before[key], key);
    }
  }
  await daemon.stop();
});

Deno.test("the gate's drops, the flows and the boots of a real virtual machine are counted", async () => {
  await using box = await Box.make({ model: { says: ["I", " hate", " it"] } });
  const daemon = box.serve();
  await daemon.until("the diode", ({ diode }) => diode !== null);
  const early = (await scraped(box)).values;
  assertEquals(early['vei_gate_dropped_frames_total{reason="predicate"}'], 0);
  assertEquals(early["vei_enclave_boot_seconds_count"], 0);
  assertEquals(early.vei_enclave_last_boot_seconds, undefined);
  await daemon.ready();
  await (await box.tell("x", { stream: true, max_tokens: 8 })).text();
  const before = await daemon.ready();
  const { values } = await scraped(box);
  const after = await daemon.ready();
  const { diode, enclave } = after;
  const { linkId, programId } = diode!;
  assertEquals(
    values[`vei_diode_info{diode="hateless",link="${linkId}",program="${programId}"}`],
    1,
  );
  const between = (reason: string, value: number) => {
    const [least, most] = [before, after].map((status) => status.diode!.counters[reason]);
    assert(least <= value && value <= most, `${reason}: ${least} ≤ ${value} ≤ ${most}`);
  };
  for (const [reason, count] of Object.entries(diode!.counters)) {
    const name = reason === "events_lost"
      ? "vei_gate_events_lost_total"
      : `vei_gate_${reason.startsWith("pass") ? "passed" : "dropped"}_frames_total` +
        `{reason="${reason}"}`;
    assert(name in values, `${reason} (${count}) is not told`);
    between(reason, values[name]);
  }
  assert(values['vei_gate_dropped_frames_total{reason="predicate"}'] >= 1);
  assertFits(values, await receiptsOf(box));
  assertEquals(values['vei_exchanges_total{verdict="aborted_by_kernel"}'], 1);
  assertEquals(values.vei_guest_connections_total, 1);
  assertEquals(values.vei_guest_connections_open, 0);
  assert(values.vei_gate_checks_total > 2 && values.vei_gate_good_check_age_seconds < 5);
  assertEquals(values.vei_enclave_restarts_total, enclave!.restarts);
  assertEquals(values.vei_enclave_boot_seconds_count, 1);
  assert(values.vei_enclave_boot_attempts_total >= 1);
  assertEquals(values.vei_enclave_last_boot_seconds, enclave!.bootSeconds);
  assert(Math.abs(values.vei_enclave_boot_seconds_sum - enclave!.bootSeconds!) <= 0.05);
  await daemon.stop();
});
