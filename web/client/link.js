/** The page's connection to the daemon: status by polling, gate events by a stream. */

const POLL_MS = 2000;
const RETRY_MS = 1000;
/** A daemon that takes longer than this to tell its status is not to be believed live. */
const TIMEOUT_MS = 4000;
const KINDS = ["drop", "enclave", "diode", "daemon"];

/**
 * @typedef {"connecting" | "live" | "lost"} LinkState
 *
 * @typedef {object} LinkListener
 * @property {(status: any) => void} onStatus
 * @property {(event: any) => void} onEvent one gate event; the kept ones come again after a loss
 * @property {(state: LinkState) => void} onState told when it changes
 */

/** Live only while both ways work; each tries again by itself for ever. */
export class Link {
  /** @type {{ status: boolean | null, events: boolean | null }} */
  #works = { status: null, events: null };
  /** @type {LinkState} */
  #state = "connecting";
  /** @type {(() => void) | null} */
  #wake = null;

  /** @param {LinkListener} listener */
  constructor(listener) {
    this.listener = listener;
  }

  start() {
    this.#poll();
    this.#listen();
    document.addEventListener("visibilitychange", () => this.#wake?.());
  }

  async #poll() {
    for (;;) {
      let status = null;
      try {
        const answer = await fetch("/api/status", { signal: AbortSignal.timeout(TIMEOUT_MS) });
        if (answer.ok) status = await answer.json();
      } catch {
        // No answer, or none that can be read: not connected.
      }
      // First what is new, then that it is: an old status is never shown as live.
      if (status !== null) this.listener.onStatus(status);
      this.#set("status", status !== null);
      await this.#sleep(status === null ? RETRY_MS : POLL_MS);
    }
  }

  /** @param {number} ms */
  #sleep(ms) {
    return new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #listen() {
    const stream = new EventSource("/api/events?after=0");
    stream.onopen = () => this.#set("events", true);
    for (const kind of KINDS) {
      stream.addEventListener(kind, (message) => {
        let event;
        try {
          event = JSON.parse(message.data);
        } catch {
          return; // Not one of ours.
        }
        this.listener.onEvent(event);
      });
    }
    // A new stream instead of the browser's own second try: a restarted daemon counts anew.
    stream.onerror = () => {
      stream.close();
      this.#set("events", false);
      this.#wake?.();
      setTimeout(() => this.#listen(), RETRY_MS);
    };
  }

  /**
   * @param {"status" | "events"} way
   * @param {boolean} works
   */
  #set(way, works) {
    this.#works[way] = works;
    const { status, events } = this.#works;
    const failed = status === false || events === false;
    const state = failed ? "lost" : status && events ? "live" : this.#state;
    if (state === this.#state) return;
    this.#state = state;
    this.listener.onState(state);
  }
}
