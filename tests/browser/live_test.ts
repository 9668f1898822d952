/** What the page shows while the gate works, and when the daemon is gone. */
import { assert, assertEquals } from "@std/assert";
import { waitForText, withPage } from "./browser.ts";
import { COMPLETED, counters, readyStatus } from "./page_server.ts";

const event = (kind: "drop" | "enclave" | "diode" | "daemon", message: string, n = 0) => ({
  time: new Date(1_767_260_000_000 + n).toISOString(),
  kind,
  message,
});

Deno.test("decisions, states, counters and receipts appear by themselves", () =>
  withPage(async ({ page, troubles }, server) => {
    await waitForText(page, "#events", "Kept from before");
    for (const kind of ["drop", "enclave", "diode", "daemon"] as const) {
      server.hub.publish(event(kind, `<i>${kind} happened\u202e`));
    }
    await waitForText(page, "#events li:first-child", "<i>daemon happenedU+202E");
    await waitForText(page, "#events li:nth-child(4)", "Dropped");
    const status = readyStatus();
    server.status = {
      ...status,
      phase: "gate-lost",
      diode: { ...status.diode!, counters: counters({ pass: 5, syn_payload: 77 }) },
    };
    await server.addReceipt("a", "b", { outcome: "interrupted", why: "the gate was lost" });
    await waitForText(page, "#daemon-state [data-tone=bad]", "Gate lost");
    await waitForText(page, "#diode-state [data-tone=bad]", "Lost, tap down");
    await waitForText(page, "#counters", "Content in a SYN\n77");
    await waitForText(page, "#announce", "Gate lost");
    await waitForText(page, "#receipts", "the gate was lost");
    assertEquals(await page.locator("main [data-tone=ok]:not(#events *)").count(), 0);
    assertEquals(troubles, []);
  }, (server) => void server.hub.publish(event("enclave", "kept from before"))));

Deno.test("a flood of decisions is shown bounded, the latest first", () =>
  withPage(async ({ page }, server) => {
    await waitForText(page, "#link", "Live");
    for (let n = 1; n <= 1000; n++) server.hub.publish(event("drop", `number ${n}`, n));
    await waitForText(page, "#events li:first-child", "Number 1000");
    assertEquals(await page.locator("#events li").count(), 100);
  }));

Deno.test("a daemon that is gone is told within seconds, and one that is back, by itself", () =>
  withPage(async ({ page }, server) => {
    await waitForText(page, "#link", "Live");
    await waitForText(page, "#events", "Before");
    const began = performance.now();
    await server.stop();
    await waitForText(page, "#link", "Disconnected");
    assert(performance.now() - began < 3000, "it took too long");
    await waitForText(page, "#lost", "Disconnected from the daemon since");
    for (const name of ["enclave", "diode", "daemon"]) {
      await waitForText(page, `#${name}-state [data-tone=unknown]`, "Unknown");
    }
    await waitForText(page, "#daemon-state", "last known: ready");
    await waitForText(page, "#announce", "Disconnected");

    server.status.phase = "booting";
    server.start();
    server.hub.publish(event("daemon", "after", 2));
    await waitForText(page, "#link", "Live");
    await waitForText(page, "#daemon-state", "Waiting for the enclave");
    assertEquals(await page.locator("#lost").isVisible(), false);
    // The restarted daemon counts its events from 1 again: that hides none, and shows none twice.
    await waitForText(page, "#events li:first-child", "After");
    assertEquals(await page.locator("#events li").count(), 2);
    await waitForText(page, "#announce", "again");
  }, (server) => void server.hub.publish(event("daemon", "before", 1))));

Deno.test("a daemon that hangs is told too, though its connections stand", () =>
  withPage(async ({ page }, server) => {
    await waitForText(page, "#link", "Live");
    await page.route("**/api/status", () => {});
    await waitForText(page, "#link", "Disconnected");
    await page.unroute("**/api/status");
    await waitForText(page, "#link", "Live");
    assertEquals(server.status.phase, "ready");
  }));

Deno.test("a receipt opens by its address, and one that is not there says so", () =>
  withPage(async ({ page }, server) => {
    const receipt = await server.addReceipt("question", "answer", COMPLETED);
    await page.goto(`${server.url}#receipt/${receipt.id}`);
    await page.reload();
    await waitForText(page, "#receipt-content", receipt.proof_id);
    await waitForText(page, "#receipt-content", "vei verify --key KEY");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.click("dialog a.button"),
    ]);
    assertEquals(download.suggestedFilename(), `vei-receipt-${receipt.id}.json`);
    const file = await Deno.readTextFile(await download.path());
    assertEquals(file, await (await fetch(`${server.url}api/receipts/${receipt.id}`)).text());
    await page.click("#receipt-close");
    assertEquals(page.url().includes("#"), false);
    await page.goto(`${server.url}#receipt/${receipt.id.replace(/.$/, "f")}`);
    await waitForText(page, "#receipt-content", "The daemon has no receipt with this id.");
  }));
