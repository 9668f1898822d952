/** The page as it stands: what it loads, what it shows, and that everybody can use it. */
import { assertEquals, assertGreater } from "@std/assert";
import { type Browser, DESKTOP, PHONE, waitForText, withPage } from "./browser.ts";
import { COMPLETED, type PageServer } from "./page_server.ts";

/** One receipt of each kind. */
async function someReceipts(server: PageServer): Promise<void> {
  await server.addReceipt("a", "b", COMPLETED);
  await server.addReceipt("a", "b", {
    outcome: "aborted",
    by: "kernel",
    rule: "predicate",
    offset: 147,
    start: null,
  });
  await server.addReceipt("a", "b", { outcome: "interrupted", why: "the daemon ended" });
  await server.addReceipt("a", "b", { outcome: "refused", rule: "hate", offset: 4 });
}

/** axe finds nothing and nothing is too wide, in every size and colour. */
async function check(browser: Browser, what: string): Promise<void> {
  for (const size of [DESKTOP, PHONE]) {
    await browser.page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"] as const) {
      await browser.page.emulateMedia({ colorScheme });
      const where = `${what}, ${size.width} px, ${colorScheme}`;
      assertEquals(await browser.axe(), [], where);
      assertEquals(await browser.overflow(), 0, `${where}: scrolls sideways`);
    }
  }
}

Deno.test("it loads without an error, shows the state, and axe finds nothing", () =>
  withPage(async (browser, server) => {
    const { page, troubles } = browser;
    await waitForText(page, "#link", "Live");
    await waitForText(page, "#enclave-state", "Running");
    await waitForText(page, "#diode-state", "Attached");
    await waitForText(page, "#daemon-state", "Ready");
    await waitForText(page, "#daemon-facts", "hateless 1");
    await waitForText(page, "#counters", "Forbidden content\n3");
    await waitForText(page, "#receipts", "Stopped by the diode in the kernel");

    server.plays.set("A story", {
      pieces: ["x".repeat(300), " \u202eand\u202c so on"],
      verdict: { outcome: "aborted", by: "monitor", rule: "hate", offset: 320, start: 316 },
    });
    await page.fill("#prompt", "A story");
    await page.click("#send");
    await waitForText(page, "#exchanges", "matches its receipt");
    server.hub.publish({
      time: "2026-01-01T00:00:00Z",
      kind: "drop",
      message: `dropped ${"y".repeat(200)}`,
    });
    await waitForText(page, "#events", "Dropped");
    for (const summary of await page.locator("main summary").all()) {
      if (await summary.isVisible()) await summary.click();
    }
    await check(browser, "the page");

    await page.locator("#receipts a").nth(3).click();
    await waitForText(page, "#receipt-content", "Key fingerprint");
    for (const summary of await page.locator("dialog summary").all()) await summary.click();
    await check(browser, "a receipt");
    assertEquals(troubles, []);
  }, someReceipts));

Deno.test("what the daemon does not know is shown as unknown, and axe finds nothing", () =>
  withPage(async (browser) => {
    const { page, troubles } = browser;
    await waitForText(page, "#link", "Live");
    await waitForText(page, "#daemon-state", "Starting");
    await waitForText(page, "#diode-state", "Unknown");
    await waitForText(page, "#enclave-state", "Unknown");
    await waitForText(page, "#counters", "Unknown");
    for (const name of ["enclave", "diode"]) {
      const values = await page.locator(`#${name}-facts dd`).allInnerTexts();
      assertEquals(values, ["unknown", "unknown", "unknown"], name);
    }
    await waitForText(page, "#daemon-facts", "Policy\nunknown");
    await waitForText(page, "#daemon-facts", "Receipts\nunknown");
    assertEquals(await page.locator("main [data-tone=ok]").count(), 0);
    await check(browser, "unknown");
    assertEquals(troubles, []);
  }, (server) => {
    const { status } = server;
    server.status = {
      ...status,
      phase: "starting",
      diode: null,
      enclave: null,
      policy: null,
      receipts: null,
    };
  }));

Deno.test("the tests' own eyes: an inline script is refused, and told", () =>
  withPage(async ({ page, troubles }) => {
    await waitForText(page, "#link", "Live");
    assertEquals(troubles, []);
    await page.evaluate(
      `document.body.append(Object.assign(document.createElement("script"), {textContent: "window.ran = 1"}))`,
    );
    await page.waitForTimeout(100);
    assertGreater(troubles.length, 0);
    assertEquals(await page.evaluate("window.ran"), undefined);
  }));
