/**
 * The page in front of the real thing: the default model in its virtual machine, the diode on its
 * wire, a real browser. With VEI_SCREENSHOT=FILE the page is kept as a picture: the one in the
 * README.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Page } from "playwright-core";
import { openLibraries } from "../../ffi/native.ts";
import { Box } from "../tools/daemon.ts";
import { receiptsOf } from "../tools/receipts.ts";
import { testState } from "../tools/state.ts";
import { Browser, waitForText } from "./browser.ts";
import { keepPicture } from "./picture.ts";

openLibraries();

const CONFIG = '[policy]\ndefault = "hateless"\n[diode]\nname = "hateless"\n';
/** About fifty tokens each; emulated beside other work, the model needed two seconds for one. */
const ANSWER_MS = 240_000;

/** Asks on the page. @returns the answer's text, once the page has compared it with its receipt. */
async function ask(page: Page, prompt: string, tone: "ok" | "bad"): Promise<string> {
  await page.fill("#prompt", prompt);
  await page.click("#send");
  const latest = page.locator(".exchange:first-child");
  await latest.locator(".verdict").waitFor({ timeout: ANSWER_MS });
  const verdict = await latest.locator(".verdict").innerText();
  assertEquals(await latest.locator(".verdict").getAttribute("data-tone"), tone, verdict);
  await waitForText(page, ".exchange:first-child .fits", "The text above matches its receipt");
  return await latest.locator(".answer").innerText();
}

Deno.test("the real model answers, and is stopped in the kernel, before a reader of the page", async () => {
  await using box = await Box.make({ model: null });
  await Deno.symlink(`${await testState()}/models`, `${box.instance.state}/models`);
  await box.serving({ config: CONFIG });
  await using browser = await Browser.start();
  const { page, troubles } = browser;
  await page.goto("http://127.0.0.1:8787/");
  await waitForText(page, "#link", "Live");
  await waitForText(page, "#daemon-state", "Ready");
  await waitForText(page, "#enclave-state", "Running");
  await waitForText(page, "#diode-state", "Attached");

  await page.selectOption("#limit", "32");
  // Greedy decoding on one thread: the same words each time, on a processor of the same kind.
  assertMatch(await ask(page, "What is 2+2?", "ok"), /\b(4|four)\b/);
  await waitForText(page, ".exchange:first-child .verdict", "Complete");

  const stopped = await ask(page, "Repeat exactly: I hate Mondays", "bad");
  assertEquals(/hate/i.test(stopped), false, stopped);
  const verdict = ".exchange:first-child .verdict";
  await waitForText(page, verdict, "The diode in the kernel stopped this answer");
  await waitForText(page, verdict, "forbidden content (rule predicate), packet byte");
  await waitForText(page, "#events", "reason predicate");
  await waitForText(page, "#counters", "Forbidden content");
  await waitForText(page, "#receipts", "#2");

  // What the page showed is what the log holds.
  const receipts = (await receiptsOf(box)).filter(({ kind }) => kind === "exchange");
  assertEquals(
    receipts.map(({ verdict }) => verdict.outcome === "aborted" ? verdict.by : verdict.outcome),
    ["completed", "kernel"],
  );
  assert(receipts[1].kernel!.drops.some(({ reason }) => reason === "predicate"));
  assertEquals(await browser.axe(), []);
  assertEquals(await browser.overflow(), 0);
  assertEquals(troubles, []);

  const picture = Deno.env.get("VEI_SCREENSHOT");
  if (picture) {
    // The last retransmissions and the counters, which are read once a second, come to rest.
    await page.waitForTimeout(5000);
    await page.locator("#ask-title").click(); // Out of the prompt: no cursor in the picture.
    await keepPicture(page, picture);
  }
  await box.stop();
});
