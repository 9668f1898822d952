/** The page on the real server, with the model that echoes: nothing played by the test. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { freshName, startVei } from "../tools/vei.ts";
import { Browser, waitForText } from "./browser.ts";

/** Runs `vei serve --model mock`; gives the address that it says. */
async function withServe(body: (url: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-serve-" });
  await Deno.writeTextFile(
    `${folder}/vei.toml`,
    '[api]\nlisten = "127.0.0.1:0"\n[policy]\ndefault = "hateless"\n',
  );
  const { config, state } = { config: `${folder}/vei.toml`, state: `${folder}/state` };
  const flags = ["--config", config, "--state", state, "--instance", freshName()];
  const child = startVei(["serve", "--model", "mock", ...flags]);
  try {
    let log = "";
    const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let url: string | undefined;
    while (url === undefined) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`vei serve ended: ${log}`);
      log += value;
      url = log.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0];
    }
    const drained = (async () => {
      while (!(await reader.read()).done);
    })();
    await body(url);
    child.kill("SIGTERM");
    await Promise.all([drained, child.stdout.cancel(), child.status]);
  } catch (error) {
    child.kill("SIGKILL");
    await child.status;
    throw error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the page on `vei serve --model mock`: answers, a stop, receipts that match", () =>
  withServe(async (url) => {
    await using browser = await Browser.start();
    const { page, troubles } = browser;
    await page.goto(url);
    await waitForText(page, "#link", "Live");
    await waitForText(page, "#daemon-facts", "hateless 1");
    await waitForText(page, "#diode-state", "Unknown");
    await waitForText(page, "#events", "Serving the model mock");

    await page.fill("#prompt", "Say this — with an é and 😀");
    await page.keyboard.press("Control+Enter");
    await waitForText(page, ".fits", "The text above matches its receipt");
    assertEquals(await page.locator(".answer").innerText(), "Say this — with an é and 😀");

    await page.fill("#prompt", "Some people hate rain");
    await page.keyboard.press("Control+Enter");
    await waitForText(page, ".exchange:first-child .verdict[data-tone=bad]", "rule hate");
    await waitForText(page, "#receipts", "#2");

    await page.locator("#receipts a").last().click();
    await waitForText(page, "#receipt-content", "no gate in the kernel stands between");
    await waitForText(page, "#receipt-content", "Receipt and signature name the same key");
    assertStringIncludes(await page.locator("#receipt-content").innerText(), "none stood before");
    assertEquals(await browser.axe(), []);
    assertEquals(troubles, []);
  }));
