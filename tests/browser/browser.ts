/** A real Chromium on a page, which notes all that goes wrong in it. */
import axe from "axe-core";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { PageServer } from "./page_server.ts";

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-breakpad",
];

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 360, height: 740 };

export class Browser implements AsyncDisposable {
  /** Console errors, uncaught exceptions, and refusals by the content security policy. */
  readonly troubles: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly folder: string,
  ) {
    page.on("console", (message) => {
      if (message.type() === "error") this.troubles.push(message.text());
    });
    page.on("pageerror", (error) => this.troubles.push(`uncaught: ${error.message}`));
    page.on("dialog", (dialog) => {
      this.troubles.push(`a dialogue: ${dialog.message()}`);
      return dialog.dismiss();
    });
  }

  static async start(): Promise<Browser> {
    const folder = await Deno.makeTempDir({ prefix: "vei-chromium-" });
    try {
      const context = await chromium.launchPersistentContext(folder, {
        executablePath: "/usr/bin/chromium",
        headless: true,
        viewport: DESKTOP,
        args: ARGS,
      });
      return new Browser(context, context.pages()[0], folder);
    } catch (error) {
      await Deno.remove(folder, { recursive: true });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
    await Deno.remove(this.folder, { recursive: true });
  }

  /** @returns what axe-core finds: rule and the elements it concerns. */
  async axe(): Promise<string[]> {
    await this.page.evaluate(axe.source);
    const results = await this.page.evaluate(
      "axe.run(document, {resultTypes: ['violations']})",
    ) as {
      violations: { id: string; help: string; nodes: { html: string }[] }[];
    };
    return results.violations.map(({ id, help, nodes }) =>
      `${id}: ${help}: ${nodes.map((node) => node.html).join(" | ")}`
    );
  }

  /** @returns by how many pixels the page is wider than the window. */
  overflow(): Promise<number> {
    return this.page.evaluate(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
  }
}

/** Runs a test with a server and a browser on its page, connected. */
export async function withPage(
  body: (browser: Browser, server: PageServer) => Promise<void>,
  prepare: (server: PageServer) => void | Promise<void> = () => {},
): Promise<void> {
  await using server = new PageServer();
  server.start();
  await prepare(server);
  await using browser = await Browser.start();
  await browser.page.goto(server.url);
  await body(browser, server);
}

/** Waits until an element holds a text. @throws after 10 s, with what it held last. */
export async function waitForText(page: Page, selector: string, wanted: string): Promise<void> {
  const until = Date.now() + 10_000;
  let held = "";
  while (Date.now() < until) {
    held = (await page.locator(selector).allInnerTexts()).join("\n");
    if (held.includes(wanted)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`${selector} never held ${JSON.stringify(wanted)}, but ${JSON.stringify(held)}`);
}
