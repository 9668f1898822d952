/** The header VEI-Policy: which policy judges a request, and what its receipt says. */
import { assertEquals, assertThrows } from "@std/assert";
import { VeiError } from "../base/errors.ts";
import { mockModel } from "../model/mock.ts";
import type { Model } from "../model/model.ts";
import { events, says, withApp, type World } from "../../tests/tools/chat_world.ts";
import { chosenPolicy, compilePolicy, refusePolicyTwins } from "./policy.ts";

const CHAT = "/v1/chat/completions";

/** @returns a model that counts how often it was asked. */
function counted(): { model: Model; count: () => number } {
  let count = 0;
  const mock = mockModel();
  const start: Model["start"] = (...args) => {
    count++;
    return mock.start(...args);
  };
  return { model: { ...mock, start }, count: () => count };
}

async function judgedBy(
  { post, receipt }: World,
  headers: Record<string, string>,
  content: string,
): Promise<[policy: string, rule: string]> {
  const answer = await post(CHAT, says(content), headers);
  await answer.text();
  const { policy, verdict } = await receipt(answer);
  return [policy.name, "rule" in verdict ? verdict.rule : verdict.outcome];
}

Deno.test("a request is judged by the policy that it names, and without one by the usual one", () =>
  withApp(mockModel(), async (world) => {
    const by = (name: string | null, content: string) =>
      judgedBy(world, name === null ? {} : { "VEI-Policy": name }, content);
    assertEquals(await by(null, "I hate a pear"), ["p", "hate"]);
    assertEquals(await by("p", "I hate a pear"), ["p", "hate"]);
    assertEquals(await by("pearless", "I hate a pear"), ["pearless", "pear"]);
    assertEquals(await by("pearless", "I hate it"), ["pearless", "completed"]);
    assertEquals(await by("pearless", "a quince?"), ["pearless", "asked"]);
    // A field's name has no case, a policy's has.
    assertEquals(await judgedBy(world, { "vei-policy": "pearless" }, "pear"), ["pearless", "pear"]);
    const streamed = await world.post(CHAT, says("a pear", { stream: true }), {
      "VEI-Policy": "pearless",
    });
    assertEquals((await events(streamed)).content, "a ");
    const bare = await world.post("/api/generate", { prompt: "I hate" }, {
      "VEI-Policy": "pearless",
    });
    assertEquals((await bare.json()).response, "I hate");
    assertEquals((await world.receipt(bare)).policy.name, "pearless");
  }));

Deno.test("one that it may not choose is refused before the model sees it, with a receipt", async () => {
  const { model, count } = counted();
  await withApp(model, async (world) => {
    for (const name of ["open", "PEARLESS", "", "p, pearless", "x".repeat(500), "p.toml"]) {
      for (
        const [path, body] of [
          [CHAT, says("hello")],
          [CHAT, says("hello", { stream: true })],
          ["/api/generate", { prompt: "hello" }],
        ] as const
      ) {
        const answer = await world.post(path, body, { "VEI-Policy": name });
        const { error, vei } = await answer.json();
        assertEquals([answer.status, error.code, error.type], [
          403,
          "policy_not_allowed",
          "invalid_request_error",
        ]);
        assertEquals(vei.receipt, answer.headers.get("vei-receipt"));
        const { policy, verdict, output } = await world.receipt(answer);
        assertEquals(verdict, { outcome: "refused", rule: "limit:policy", offset: 0 });
        assertEquals([policy.name, output!.bytes], ["p", 0]);
      }
    }
  });
  assertEquals(count(), 0);
});

Deno.test("a name means one policy; the same one may stand in both places", async () => {
  const policy = (name: string, word: string) =>
    compilePolicy(
      `name="${name}"\nversion="1"\ndescription="d"\n[[forbid]]\nid="r"\nwords=["${word}"]\n`,
      "p.toml",
    );
  const [usual, same, other, namesake] = await Promise.all([
    policy("one", "x"),
    policy("one", "x"),
    policy("two", "x"),
    policy("one", "y"),
  ]);
  refusePolicyTwins({ policy: usual, allowed: [same, other, other] });
  for (const allowed of [[namesake], [other, namesake]]) {
    assertThrows(() => refusePolicyTwins({ policy: usual, allowed }), VeiError, "called one");
  }
  assertEquals(chosenPolicy({ policy: usual, allowed: [other] }, "two"), other);
  assertEquals(chosenPolicy({ policy: usual, allowed: [other] }, "toString"), null);
});
