import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Status } from "../api/status.ts";
import { span, statusLines } from "./status_screen.ts";

const NOW = Date.parse("2030-01-02T03:04:05Z");

function sample(more: Partial<Status> = {}): Status {
  return {
    instance: "vei",
    version: "0.1.0",
    phase: "ready",
    pid: 4321,
    started: "2030-01-01T00:00:00Z",
    listen: "127.0.0.1:8787",
    diode: {
      name: "hateless",
      adopted: true,
      linkId: 7,
      programId: 8,
      digests: { table_proof: "ef" },
      rules: { held: ["hate", "limit:charset"], left: ["json"] },
      counters: { pass: 1200, pass_empty: 34, events_lost: 2, predicate: 3, options: 1, mac: 0 },
    },
    enclave: {
      model: "default",
      modelDigest: "00",
      image: "11",
      accel: "tcg",
      accelReason: "there is no /dev/kvm",
      pid: 4400,
      attempt: 1,
      bootSeconds: 6.5,
      restarts: 1,
    },
    policy: {
      ...{ name: "hateless", version: "1", sha256: "ab".repeat(32) },
      allowed: [{ name: "printable", version: "1", sha256: "cd".repeat(32) }],
    },
    receipts: 12345,
    // Not on the screen.
    reload: {} as Status["reload"],
    events: Array.from({ length: 64 }, (_, i) => ({
      id: i + 1,
      time: `2030-01-02T03:00:${String(i % 60).padStart(2, "0")}.000Z`,
      kind: "drop" as const,
      message: `dropped a frame number ${i + 1} of ${"many ".repeat(30)}`,
    })),
    ...more,
  };
}

const screen = { columns: 80, rows: 24, colour: false };
// deno-lint-ignore no-control-regex
const plain = (line: string) => line.replace(/\u001b\[\d+m/g, "");

Deno.test("everything of one screen fits 80 by 24, and other sizes", () => {
  for (const [columns, rows] of [[80, 24], [40, 10], [200, 60], [10, 3], [1, 1]]) {
    for (const colour of [false, true]) {
      const lines = statusLines(sample(), { columns, rows, colour }, NOW);
      assert(lines.length <= Math.max(0, rows - 1), `${rows} rows: ${lines.length}`);
      for (const line of lines) assert([...plain(line)].length <= columns, `${columns}: ${line}`);
    }
  }
});

Deno.test("it says what matters, the newest event last", () => {
  const lines = statusLines(sample(), screen, NOW);
  const text = lines.join("\n");
  for (
    const words of [
      "ready, pid 4321, up 1 d 3 h, vei 0.1.0",
      "http://127.0.0.1:8787/",
      "by request printable",
      "attached, diode hateless (2 of 3 rules), proved, link 7, program 8",
      "passed 1,234, dropped 4, reports lost 2",
      "predicate 3, options 1",
      "pid 4400, model default, tcg (there is no /dev/kvm)",
      "boot 6.5 s, restarts 1",
      "hateless 1, sha256 abababababab…",
      "12,345",
    ]
  ) assertStringIncludes(text, words);
  assert(lines.at(-1)!.startsWith("03:00:03 drop     dropped a frame number 64 of many"), text);
  assert(lines.at(-1)!.endsWith("…"));
  assert(!text.includes("mac"));
});

Deno.test("colours change nothing but the colours", () => {
  const coloured = statusLines(sample(), { ...screen, colour: true }, NOW);
  assertEquals(
    coloured.map((line) => plain(line).trimEnd()),
    statusLines(sample(), screen, NOW),
  );
  assertStringIncludes(coloured[0], "\x1b[32mready\x1b[0m");
  const lost = statusLines(sample({ phase: "gate-lost" }), { ...screen, colour: true }, NOW);
  assertStringIncludes(lost.join("\n"), "\x1b[31mLOST, tap down\x1b[0m");
});

Deno.test("into a file: nothing cut, no colours, whole times", () => {
  const lines = statusLines(sample(), null, NOW);
  assertStringIncludes(lines.at(-1)!, "2030-01-02T03:00:03.000Z drop");
  assert(lines.at(-1)!.length > 150 && !lines.join("").includes("\x1b"));
  assertEquals(lines.filter((line) => line.includes("dropped a frame")).length, 8);
});

Deno.test("what is not there yet is said, and untrusted text cannot steer the terminal", () => {
  const text = statusLines(
    sample({
      ...{ phase: "starting", diode: null, enclave: null, policy: null, receipts: null },
      events: [{ id: 1, time: "x", kind: "daemon", message: "a\x1b[2Jb\nc\x9bd\te" }],
    }),
    null,
    NOW,
  ).join("\n");
  for (const words of ["starting", "not attached", "not started yet", "unknown"]) {
    assertStringIncludes(text, words);
  }
  assertStringIncludes(text, "a\ufffd[2Jb c\ufffdd e");
});

Deno.test("a virtual machine that boots is no acceleration unknown", () => {
  const enclave = { ...sample().enclave!, pid: null, accel: null, bootSeconds: null, attempt: 2 };
  const text = statusLines(sample({ phase: "booting", enclave }), null, NOW).join("\n");
  assertStringIncludes(text, "enclave   booting, attempt 2, model default\n");
  assertStringIncludes(text, "not ready yet, restarts 1");
});

Deno.test("a time's length has two units at most", () => {
  assertEquals(
    [-5, 0, 999, 1000, 61_000, 3_600_000, 90_061_000].map(span),
    ["0 s", "0 s", "0 s", "1 s", "1 min 1 s", "1 h", "1 d 1 h"],
  );
});
