/** The last receipts, as links to each in full. */
import { byId, el, state, time } from "./dom.js";
import { verdictDetail, verdictWords } from "./words.js";

const LIMIT = 20;

export class ReceiptsPanel {
  #list = byId("receipts");
  #note = byId("receipts-note");
  #busy = false;
  #again = false;
  #shown = "";

  /** Reads the list anew; a call while it is being read makes it be read once more. */
  async refresh() {
    this.#again = true;
    if (this.#busy) return;
    this.#busy = true;
    while (this.#again) {
      this.#again = false;
      try {
        const answer = await fetch(`/api/receipts?limit=${LIMIT}`);
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        this.#show((await answer.json()).receipts);
      } catch {
        this.#say("The receipts cannot be read now. They are still in the daemon's store.");
      }
    }
    this.#busy = false;
  }

  /** @param {any[]} receipts the latest first */
  #show(receipts) {
    this.#say(receipts.length === 0 ? "None yet. Every question leaves one." : "");
    const key = receipts.map(({ id }) => id).join();
    if (key === this.#shown) return;
    this.#shown = key;
    this.#list.replaceChildren(...receipts.map(row));
  }

  /** @param {string} text */
  #say(text) {
    this.#note.hidden = text === "";
    this.#note.textContent = text;
  }
}

/** @param {any} receipt */
function row({ id, sequence, time: times, verdict }) {
  const said = verdictWords(verdict);
  const detail = verdictDetail(verdict);
  return el(
    "li",
    {},
    el(
      "a",
      { href: `#receipt/${id}`, class: "receipt" },
      el("span", { class: "sequence" }, `#${sequence}`),
      el(
        "span",
        { class: "what" },
        state(said.tone, said.text),
        detail === "" ? null : el("span", { class: "detail" }, detail),
      ),
      time(times?.end ?? times?.start ?? "", true),
    ),
  );
}
