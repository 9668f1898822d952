/** The status page: one document, its assets, and nothing from elsewhere. */
import type { Hono } from "hono";
import type { Child } from "hono/jsx";
import { ASSETS } from "./assets.ts";

/**
 * Adds `GET /` and `GET /assets/NAME`. The page holds no data of its own: its scripts read the API.
 * @param app which already sets the security headers and checks the Host.
 */
export function mountPage(app: Hono): void {
  const page = `<!doctype html>${<Page />}`;
  app.get("/", (c) => c.html(page));
  for (const [name, { type, text }] of Object.entries(ASSETS)) {
    app.get(`/assets/${name}`, (c) => c.body(text, 200, { "Content-Type": type }));
  }
}

function Page() {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>VEI: Verified Egress Inference</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/style.css" />
        <script type="module" src="/assets/main.js"></script>
      </head>
      <body>
        <a class="skip" href="#prompt">To the prompt</a>
        <Head />
        <main>
          <noscript>
            <p class="lost">
              This page needs JavaScript. Without it, <code>vei status</code> and{" "}
              <code>vei ask</code> tell the same.
            </p>
          </noscript>
          <p class="lost" id="lost" hidden>
            Disconnected from the daemon since{" "}
            <span id="lost-since"></span>. What you see is older than that. Trying again.
          </p>
          <Chain />
          <div class="columns">
            <div class="column">
              <Ask />
              <Receipts />
            </div>
            <div class="column">
              <Counters />
              <Decisions />
            </div>
          </div>
        </main>
        <p class="hidden" id="announce" role="status"></p>
        <Receipt />
      </body>
    </html>
  );
}

function Head() {
  return (
    <header>
      <h1>
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M2 16h6M24 16h6M8 7v18L23 16Z M24 7v18" />
        </svg>
        <span>VEI</span>
        <small>Verified Egress Inference</small>
      </h1>
      <p id="link">
        <span class="state" data-tone="wait">Connecting</span>
      </p>
    </header>
  );
}

/** The way that an answer takes, from left to right. */
function Chain() {
  return (
    <section class="chain" aria-label="State of the gate">
      <Part name="enclave" title="Enclave" role="runs the model in a virtual machine" />
      <Part name="diode" title="Diode" role="drops frames in the kernel" />
      <Part name="daemon" title="Daemon" role="monitors the answer, signs receipts" />
    </section>
  );
}

function Part({ name, title, role }: { name: string; title: string; role: string }) {
  return (
    <section class="part" aria-labelledby={`${name}-title`}>
      <h2 id={`${name}-title`}>
        {title} <small>{role}</small>
      </h2>
      <p class="part-state" id={`${name}-state`}>
        <span class="state" data-tone="unknown">Unknown</span>
      </p>
      <div id={`${name}-facts`}></div>
      <details>
        <summary>
          More<span class="hidden">of the {name}</span>
        </summary>
        <div id={`${name}-more`}></div>
      </details>
    </section>
  );
}

function Panel({ id, title, children }: { id: string; title: string; children?: Child }) {
  return (
    <section class="panel" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

function Ask() {
  return (
    <Panel id="ask-title" title="Ask the model">
      <form id="ask">
        <label for="prompt">Prompt</label>
        <textarea
          id="prompt"
          rows={3}
          maxlength={100000}
          placeholder="Once upon a time"
          aria-describedby="prompt-hint"
        >
        </textarea>
        <div class="controls">
          <p id="prompt-hint">
            <span class="keys">
              <kbd>Ctrl</kbd> or <kbd>⌘</kbd> and <kbd>Enter</kbd> sends.
            </span>{" "}
            Each question stands alone.
          </p>
          <div class="send">
            <label for="limit">At most</label>
            <select id="limit">
              {[32, 128, 256, 1024].map((count) => (
                <option value={String(count)} selected={count === 128}>{count} tokens</option>
              ))}
            </select>
            <button type="button" id="stop" class="quiet" hidden>Stop</button>
            <button type="submit" id="send">Ask</button>
          </div>
        </div>
      </form>
      <div id="exchanges"></div>
    </Panel>
  );
}

function Receipts() {
  return (
    <Panel id="receipts-title" title="Last receipts">
      <p class="empty" id="receipts-note">Unknown.</p>
      <ol id="receipts"></ol>
    </Panel>
  );
}

function Counters() {
  return (
    <Panel id="counters-title" title="Frames from the model">
      <div id="counters"></div>
      <details id="counters-zero" hidden>
        <summary id="counters-zero-title">Other reasons</summary>
        <div id="counters-zero-list"></div>
      </details>
    </Panel>
  );
}

function Decisions() {
  return (
    <Panel id="events-title" title="Decisions of the gate">
      <p class="empty" id="events-empty">None since the daemon started.</p>
      <div class="scroll" role="group" aria-label="Decisions, the latest first" tabindex={0}>
        <ol id="events"></ol>
      </div>
    </Panel>
  );
}

function Receipt() {
  return (
    <dialog id="receipt" aria-labelledby="receipt-title">
      <div class="dialog-head">
        <h2 id="receipt-title">Receipt</h2>
        <button type="button" id="receipt-close" class="quiet">Close</button>
      </div>
      <div id="receipt-content"></div>
    </dialog>
  );
}
