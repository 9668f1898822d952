/** A question and its answer, in each of the ways that it can go. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Page } from "playwright-core";
import { waitForText, withPage } from "./browser.ts";
import { COMPLETED } from "./page_server.ts";

async function ask(page: Page, prompt: string): Promise<void> {
  await page.fill("#prompt", prompt);
  await page.click("#send");
}

/** The latest answer's text. */
function answer(page: Page): Promise<string> {
  return page.locator(".answer").first().innerText();
}

Deno.test("an answer streams in, ends, and matches its receipt", () =>
  withPage(async ({ page, troubles }, server) => {
    let step = () => {};
    server.plays.set("Once", {
      reading: [[12, 24], [24, 24]],
      pieces: ["upon ", "a ", "time"],
      pause: () => new Promise((resolve) => step = resolve),
      verdict: COMPLETED,
    });
    await ask(page, "Once");
    await waitForText(page, ".progress", "12 of 24");
    step();
    await waitForText(page, ".progress", "24 of 24");
    step();
    await waitForText(page, ".answer", "upon");
    assertEquals(await answer(page), "upon ");
    assertEquals(await page.locator(".answer").getAttribute("aria-busy"), "true");
    step();
    await waitForText(page, ".answer", "upon a");
    step();
    await waitForText(page, ".answer", "upon a time");
    step();
    await waitForText(page, ".verdict", "Complete");
    assertEquals(await answer(page), "upon a time");
    await waitForText(page, ".fits", "The text above matches its receipt");
    await waitForText(page, "#announce", "Complete.");
    await waitForText(page, "#receipts", "#1");
    assertEquals(server.asked, [{
      model: "default",
      messages: [{ role: "user", content: "Once" }],
      max_tokens: 128,
      stream: true,
    }]);
    assertEquals(troubles, []);
  }));

Deno.test("hostile output is text: nothing runs, nothing hides", () =>
  withPage(async ({ page, troubles }, server) => {
    const html = `<img src=x onerror="window.ran=1"><script>window.ran=2</script>` +
      `<a href="javascript:window.ran=3">x</a><style>*{display:none}</style>&lt;b&gt;`;
    const pieces = [
      ...html,
      "\u202Egnp.exe\u2066",
      "\x1b]0;title\x07\x9b2J",
      "\u{e0041}",
      "\n",
      "end",
    ];
    server.plays.set("<b>be bad</b>", { pieces, verdict: COMPLETED });
    await ask(page, "<b>be bad</b>");
    await waitForText(page, ".fits", "matches its receipt");
    const text = await answer(page);
    assertStringIncludes(text, html);
    for (const name of ["U+202E", "U+2066", "U+001B", "U+0007", "U+009B", "U+E0041"]) {
      assertStringIncludes(text, name);
    }
    for (const raw of ["\u202E", "\u2066", "\x1b", "\x07", "\x9b", "\u{e0041}"]) {
      assertEquals(text.includes(raw), false, `U+${raw.codePointAt(0)?.toString(16)}`);
    }
    assertEquals(await page.locator(".asked").innerText(), "<b>be bad</b>");
    const elements = await page.locator("#exchanges :is(img, script, style, b, .answer a)").count();
    assertEquals(elements, 0);
    assertEquals(await page.evaluate("window.ran"), undefined);
    assertEquals(troubles, []);
  }));

Deno.test("an answer that the gate stopped says by whom, rule, byte and receipt", () =>
  withPage(async ({ page, troubles }, server) => {
    server.plays.set("monitor", {
      pieces: ["I "],
      verdict: { outcome: "aborted", by: "monitor", rule: "hate", offset: 5, start: 2 },
    });
    await ask(page, "monitor");
    await waitForText(page, ".verdict[data-tone=bad]", "Stopped by the gate");
    await waitForText(page, ".verdict", "The monitor stopped this answer: rule hate, byte 5.");
    await waitForText(page, "#announce", "rule hate, byte 5");
    const link = page.locator(".of-receipt a");
    const id = await link.innerText();
    await link.click();
    await waitForText(page, "#receipt-content", "Stopped by the monitor");
    await waitForText(page, "#receipt-content", id);
    assertStringIncludes(page.url(), `#receipt/${id}`);
    await page.keyboard.press("Escape");

    server.plays.set("kernel", {
      pieces: ["I "],
      verdict: { outcome: "aborted", by: "kernel", rule: "predicate", offset: 147, start: null },
    });
    await ask(page, "kernel");
    await waitForText(page, ".verdict", "The diode in the kernel stopped this answer");
    await waitForText(page, ".verdict", "(rule predicate), packet byte 147");
    assertEquals(troubles, []);
  }));

Deno.test("an answer that differs from its receipt is told", () =>
  withPage(async ({ page }, server) => {
    server.plays.set("x", { pieces: ["one text"], bound: "another text", verdict: COMPLETED });
    await ask(page, "x");
    await waitForText(page, ".fits [data-tone=bad]", "does not match its receipt");
  }));

Deno.test("refused, failed, and broken off in the middle: each is told as what it is", () =>
  withPage(async ({ page }, server) => {
    const verdict = { outcome: "refused", rule: "hate", offset: 4 } as const;
    server.plays.set("refused", { pieces: [], verdict });
    await ask(page, "refused");
    await waitForText(page, ".verdict[data-tone=bad]", "Prompt refused");
    await waitForText(page, ".verdict", "rule hate, byte 4");
    assertEquals(await page.locator(".of-receipt a").count(), 1);

    await ask(page, "no model");
    await waitForText(page, ".verdict[data-tone=bad]", "The model is not ready yet (not_ready).");

    server.plays.set("broken", { pieces: ["half an ans"], verdict: "break" });
    await ask(page, "broken");
    await waitForText(page, ".verdict[data-tone=bad]", "The connection broke");
    assertEquals(await answer(page), "half an ans");

    server.plays.set("gone", { pieces: Array(100).fill("x"), pause: 100, verdict: COMPLETED });
    await ask(page, "gone");
    await waitForText(page, ".answer", "xxx");
    await server.stop();
    await waitForText(page, ".exchange:first-child .verdict", "The connection broke");
  }));

Deno.test("the keyboard alone: ask, stop, read a receipt, come back", () =>
  withPage(async ({ page, troubles }, server) => {
    const focus = () =>
      page.evaluate<string>("document.activeElement.id || document.activeElement.tagName");
    await waitForText(page, "#link", "Live");
    await page.keyboard.press("Tab");
    assertEquals(await page.evaluate("document.activeElement.className"), "skip");
    await page.keyboard.press("Enter");
    assertEquals(await focus(), "prompt");

    await page.keyboard.type("long");
    await page.keyboard.press("Enter");
    await page.keyboard.type("story");
    server.plays.set("long\nstory", {
      pieces: Array(200).fill("x"),
      pause: 50,
      verdict: COMPLETED,
    });
    await page.keyboard.press("Control+Enter");
    await waitForText(page, ".answer", "xxx");
    await page.keyboard.press("Control+Enter");
    assertEquals(server.asked.length, 1, "asked twice");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    assertEquals(await focus(), "stop");
    await page.keyboard.press("Enter");
    await waitForText(page, ".verdict", "Stopped by you");
    assertEquals(await focus(), "prompt");
    for (let tries = 0; server.cancelled === 0 && tries < 50; tries++) {
      await page.waitForTimeout(50);
    }
    assertEquals(server.cancelled, 1);

    server.plays.set("short", { pieces: ["yes"], verdict: COMPLETED });
    await page.keyboard.press("Control+a");
    await page.keyboard.type("short");
    await page.keyboard.press("Control+Enter");
    await waitForText(page, "#receipts", "#2");
    for (let tabs = 0; tabs < 12; tabs++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate("document.activeElement.matches('#receipts a')")) break;
    }
    const outline = "getComputedStyle(document.activeElement).outlineStyle";
    assertEquals(await page.evaluate(outline), "solid");
    await page.keyboard.press("Enter");
    await waitForText(page, "#receipt-content", "Key fingerprint");
    assertEquals(await focus(), "receipt-close");
    await page.keyboard.press("Escape");
    assertEquals(await page.locator("#receipt").isVisible(), false);
    assertEquals(await page.evaluate("document.activeElement.matches('#receipts a')"), true);
    assertEquals(troubles, []);
  }));
