import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { REASONS } from "../src/bpf/reasons.ts";
import {
  causeWords,
  diodeWords,
  enclaveWords,
  numberWords,
  orUnknown,
  phaseWords,
  reasonWords,
  verdictWords,
} from "./client/words.js";

Deno.test("every reason of the kernel has words; another is shown as it is", () => {
  for (const reason of REASONS) assertNotEquals(reasonWords(reason), reason);
  for (const odd of ["later_reason", "constructor", "__proto__"]) {
    assertEquals(reasonWords(odd), odd);
  }
});

Deno.test("what is not known is unknown, and never green", () => {
  assertEquals(phaseWords(undefined), { tone: "unknown", text: "Unknown" });
  assertEquals(phaseWords("later-phase"), { tone: "unknown", text: "later-phase" });
  for (const status of [null, undefined, {}, { phase: "ready", diode: null, enclave: null }]) {
    assertEquals(diodeWords(status).tone, "unknown");
    assertEquals(enclaveWords(status).tone, "unknown");
  }
  assertEquals(verdictWords(undefined).tone, "unknown");
  assertEquals(verdictWords({ outcome: "later" }), { tone: "unknown", text: "later" });
  assertEquals(verdictWords({ outcome: "applied" }).text, "Configuration reloaded");
  for (const value of [null, undefined, "", NaN]) assertEquals(numberWords(value), "unknown");
  for (const value of [null, undefined, ""]) assertEquals(orUnknown(value), "unknown");
  assertEquals([numberWords(0), orUnknown(0), orUnknown(false)], ["0", "0", "false"]);
});

Deno.test("a lost gate is green nowhere", () => {
  const status = { phase: "gate-lost", diode: {}, enclave: { pid: 1 } };
  for (const { tone } of [phaseWords(status.phase), diodeWords(status), enclaveWords(status)]) {
    assertEquals(tone, "bad");
  }
});

Deno.test("an enclave is running only while the daemon says that it is ready", () => {
  for (const phase of ["starting", "booting", "restarting", "stopping"]) {
    assertEquals(enclaveWords({ phase, enclave: { pid: 7 } }).tone, "wait");
  }
  assertEquals(enclaveWords({ phase: "ready", enclave: { pid: null } }).tone, "wait");
  assertEquals(enclaveWords({ phase: "ready", enclave: { pid: 7 } }).text, "Running");
});

Deno.test("rule and place of a stop", () => {
  assertEquals(causeWords("monitor", "hate", 0), "rule hate, byte 0");
  assertEquals(
    causeWords("kernel", "predicate", 9),
    "forbidden content (rule predicate), packet byte 9",
  );
  assert(causeWords("kernel", undefined, null).includes("unknown"));
});
