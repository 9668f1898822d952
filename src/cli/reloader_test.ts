import { assertEquals } from "@std/assert";
import type { CompiledPolicy } from "../api/policy.ts";
import { defaultConfig } from "../base/config.ts";
import { Exit, VeiError } from "../base/errors.ts";
import type { Receipt, Reload } from "../receipt/statement.ts";
import type { InForce } from "./in_force.ts";
import { Reloader } from "./reloader.ts";

const withPolicy = (digit: string): InForce => ({
  config: defaultConfig(),
  configSha256: null,
  policy: { sha256: digit } as CompiledPolicy,
  allowed: [],
  diode: null,
});

const failure = (code: string) => new VeiError({ code, message: code, exit: Exit.io });

interface Faults {
  read?: boolean;
  begin?: boolean;
  switchTo?: boolean;
  finish?: boolean;
}

/** A reloader whose file names the policies 2, 3, … one after the other, and what it did. */
function setUp(faults: Faults = {}) {
  const did: string[] = [];
  let policy = 1;
  let release = () => {};
  let held: Promise<void> = Promise.resolve();
  const fail = (step: keyof Faults) => {
    if (faults[step]) throw failure(`${step}-failed`);
  };
  const reloader: Reloader = new Reloader({
    path: "vei.toml",
    async read() {
      did.push("read");
      const after = withPolicy(String(++policy));
      await held;
      fail("read");
      return after;
    },
    begin({ generation }: Reload) {
      did.push(`begin ${generation}`);
      if (faults.begin) return Promise.reject(failure("begin-failed"));
      return Promise.resolve({
        id: `entry ${generation}`,
        finish({ outcome }: Receipt["verdict"]) {
          did.push(outcome);
          return faults.finish ? Promise.reject(failure("finish-failed")) : Promise.resolve();
        },
      });
    },
    switchTo(after) {
      fail("switchTo");
      did.push(`switch to ${after.policy.sha256}`);
    },
    onBegin: () => {},
    onEnd: () => {},
    now: () => new Date(0),
  }, withPolicy("1"));
  const hold = () => {
    held = new Promise((resolve) => release = resolve);
  };
  const idle = async () => {
    for (let i = 0; i < 50; i++) await Promise.resolve();
  };
  return { reloader, did, hold, idle, release: () => release() };
}

Deno.test("intent, switch, entry, in this order", async () => {
  const { reloader, did, idle } = setUp();
  reloader.open();
  reloader.request();
  await idle();
  assertEquals(did, ["read", "begin 2", "switch to 2", "applied"]);
  const { generation, started, finished, results: [last] } = reloader.status();
  assertEquals([generation, started, finished, last.outcome], [2, 1, 1, "applied"]);
  assertEquals([last.receipt, last.error], ["entry 2", null]);
  assertEquals(reloader.current.policy.sha256, "2");
});

for (const [step, upTo] of [["read", ["read"]], ["begin", ["read", "begin 2"]]] as const) {
  Deno.test(`${step} fails: refused, and nothing was switched`, async () => {
    const { reloader, did, idle } = setUp({ [step]: true });
    reloader.open();
    reloader.request();
    await idle();
    assertEquals(did, upTo);
    const { generation, results: [last], outcomes } = reloader.status();
    assertEquals([generation, last.outcome, last.error!.code], [1, "refused", `${step}-failed`]);
    assertEquals([last.change, last.receipt, outcomes.refused], [null, null, 1]);
    assertEquals(reloader.current.policy.sha256, "1");
  });
}

Deno.test("the switch fails: the entry says interrupted, and the old configuration holds", async () => {
  const { reloader, did, idle } = setUp({ switchTo: true });
  reloader.open();
  reloader.request();
  await idle();
  assertEquals(did, ["read", "begin 2", "interrupted"]);
  assertEquals(reloader.status().results.at(-1)!.error!.code, "switchTo-failed");
  assertEquals([reloader.status().generation, reloader.current.policy.sha256], [1, "1"]);
});

Deno.test("the entry cannot be ended: told as applied, with why it could not", async () => {
  const { reloader, idle } = setUp({ finish: true });
  reloader.open();
  reloader.request();
  await idle();
  const { results: [last], generation } = reloader.status();
  assertEquals([generation, last.outcome, last.error!.code], [2, "applied", "finish-failed"]);
  assertEquals(reloader.current.policy.sha256, "2");
});

Deno.test("asked while one is under way: one more after it, however often", async () => {
  const { reloader, did, hold, idle, release } = setUp();
  hold();
  reloader.open();
  for (let i = 0; i < 5; i++) reloader.request();
  await idle();
  assertEquals(did, ["read"]);
  for (let i = 0; i < 5; i++) reloader.request();
  release();
  await idle();
  assertEquals(did.filter((step) => step === "read").length, 2);
  assertEquals(reloader.status().finished, 2);
  assertEquals(reloader.current.policy.sha256, "3");
});

Deno.test("asked before it is opened: done when it is; after the end: never", async () => {
  const { reloader, did, hold, idle, release } = setUp();
  reloader.request();
  await idle();
  assertEquals(did, []);
  hold();
  reloader.open();
  await idle();
  assertEquals(did, ["read"]);
  const closed = reloader.close();
  release();
  await closed;
  // It had begun: its entry is ended, and nothing was switched.
  assertEquals(did, ["read", "begin 2", "interrupted"]);
  assertEquals(reloader.status().results.at(-1)!.error!.code, "daemon-stopping");
  reloader.request();
  reloader.open();
  await idle();
  assertEquals(did.length, 3);
});
