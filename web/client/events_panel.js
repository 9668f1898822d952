/** The gate's decisions, newest first, at most `MAX_SHOWN`. */
import { byId, el, state, time } from "./dom.js";
import { kindWords } from "./words.js";

const MAX_SHOWN = 100;

export class EventsPanel {
  #list = byId("events");
  #empty = byId("events-empty");
  /** Events that came since the last frame: a flood costs one drawing, not a hundred. */
  /** @type {any[]} */
  #waiting = [];
  /** What is shown; a daemon that restarts counts its ids anew, so the time belongs to the key. */
  /** @type {string[]} */
  #shown = [];

  /** @param {any} event one gate event */
  add(event) {
    // The receipts' panel shows exchanges.
    if (event.kind === "exchange") return;
    const key = `${event.time} ${event.id}`;
    if (this.#shown.includes(key)) return;
    this.#shown.push(key);
    if (this.#shown.length > 4 * MAX_SHOWN) this.#shown.shift();
    this.#waiting.push(event);
    if (this.#waiting.length > MAX_SHOWN) this.#waiting.shift();
    if (this.#waiting.length === 1) requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    const rows = this.#waiting.splice(0).map(row);
    this.#list.prepend(...rows.reverse());
    while (this.#list.childElementCount > MAX_SHOWN) this.#list.lastElementChild?.remove();
    this.#empty.hidden = this.#list.childElementCount > 0;
  }
}

/** @param {any} event */
function row(event) {
  const message = String(event.message ?? "");
  const tone = event.kind === "drop" || message.startsWith("GATE LOST") ? "bad" : "info";
  return el(
    "li",
    { "data-kind": String(event.kind) },
    el("p", { class: "when" }, state(tone, kindWords(String(event.kind))), time(event.time)),
    el("p", {}, message.charAt(0).toUpperCase() + message.slice(1)),
  );
}
