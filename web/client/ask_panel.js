/** The prompt box and what came of each question, the latest first. */
import { ask } from "./chat.js";
import { byId, clock, el, state, textNodes } from "./dom.js";
import { fetchReceipt } from "./receipt_view.js";
import { byWords, causeWords } from "./words.js";

const MAX_SHOWN = 10;

/**
 * @typedef {object} AskListener
 * @property {(text: string) => void} announce tells a screen reader
 * @property {() => void} onEnd a question has ended: there may be a new receipt
 */

/** @param {AskListener} listener */
export function startAsking(listener) {
  const form = /** @type {HTMLFormElement} */ (byId("ask"));
  const prompt = /** @type {HTMLTextAreaElement} */ (byId("prompt"));
  const limit = /** @type {HTMLSelectElement} */ (byId("limit"));
  const send = byId("send");
  const stop = byId("stop");
  /** @type {AbortController | null} */
  let running = null;

  const begin = async () => {
    if (running !== null) return;
    if (prompt.value.trim() === "") return prompt.focus();
    running = new AbortController();
    send.setAttribute("aria-disabled", "true");
    stop.hidden = false;
    const view = new ExchangeView(prompt.value);
    const question = { prompt: prompt.value, maxTokens: Number(limit.value) };
    const end = await ask(question, running.signal, view);
    running = null;
    send.removeAttribute("aria-disabled");
    if (document.activeElement === stop) prompt.focus();
    stop.hidden = true;
    listener.announce(view.end(end));
    listener.onEnd();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin();
  });
  prompt.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    begin();
  });
  stop.addEventListener("click", () => running?.abort());
}

/** One question and its answer, as they come. */
class ExchangeView {
  #text = "";
  #answer = el("div", { class: "answer", dir: "auto", "aria-busy": "true" });
  #progress = el("p", { class: "progress" }, state("wait", "Sent, waiting for the model"));
  #article = el("article", { class: "exchange" });

  /** @param {string} prompt */
  constructor(prompt) {
    const now = new Date();
    this.#article.append(
      el("h3", {}, "You asked", el("time", { datetime: now.toISOString() }, clock(now))),
      el("p", { class: "asked", dir: "auto" }, prompt),
      el("h3", {}, "The model said"),
      this.#answer,
      this.#progress,
    );
    const list = byId("exchanges");
    list.prepend(this.#article);
    while (list.childElementCount > MAX_SHOWN) list.lastElementChild?.remove();
  }

  onBegin() {
    this.#step("The model is reading the prompt");
  }

  /**
   * @param {number} done
   * @param {number} total
   */
  onReading(done, total) {
    this.#step(`The model is reading the prompt: ${done} of ${total} tokens`);
  }

  /** @param {string} text */
  onText(text) {
    if (this.#text === "") this.#step("The model is answering");
    this.#text += text;
    const [first, ...rest] = textNodes(text);
    const last = this.#answer.lastChild;
    if (last instanceof Text && first instanceof Text) last.appendData(first.data);
    else if (first) this.#answer.append(first);
    this.#answer.append(...rest);
  }

  /** @param {string} text */
  #step(text) {
    this.#progress.replaceChildren(state("wait", text));
  }

  /**
   * @param {import("./chat.js").End} end
   * @returns {string} in one sentence, for a screen reader.
   */
  end(end) {
    const { tone, title, more } = endWords(end);
    this.#answer.removeAttribute("aria-busy");
    if (this.#text === "") this.#answer.append(el("span", { class: "empty" }, "Nothing."));
    const verdict = el("div", { class: "verdict", "data-tone": tone }, state(tone, title));
    if (more !== "") verdict.append(el("p", {}, ...textNodes(more)));
    if (end.receipt) {
      const fits = el("p", { class: "fits" });
      const link = el("a", { href: `#receipt/${end.receipt}` }, end.receipt);
      verdict.append(el("p", { class: "of-receipt" }, "Receipt ", link), fits);
      if (end.kind === "completed" || end.kind === "stopped") {
        compare(this.#text, end.receipt).then((said) => fits.replaceChildren(said));
      }
    }
    this.#progress.replaceWith(verdict);
    return more === "" ? `${title}.` : `${title}. ${more}`;
  }
}

/**
 * @param {import("./chat.js").End} end
 * @returns {{ tone: import("./words.js").Tone, title: string, more: string }}
 */
function endWords(end) {
  switch (end.kind) {
    case "completed":
      return end.finish === "length"
        ? { tone: "ok", title: "Complete, at the length limit", more: "" }
        : { tone: "ok", title: "Complete", more: "" };
    case "stopped":
      return {
        tone: "bad",
        title: "Stopped by the gate",
        more: `The ${byWords(end.by)} stopped this answer: ` +
          `${causeWords(end.by, end.rule, end.offset)}. ` +
          `Nothing of what was forbidden has been released.`,
      };
    case "refused":
      return { tone: "bad", title: "Prompt refused", more: `${end.message}.` };
    case "failed":
      return { tone: "bad", title: "No answer", more: `${end.message} (${end.code}).` };
    case "cancelled":
      return { tone: "wait", title: "Stopped by you", more: "" };
    case "broken":
      return {
        tone: "bad",
        title: "The connection broke",
        more: "The answer is not whole: its end never came.",
      };
  }
}

/**
 * Whether the text on this page is the text that the receipt binds.
 * @param {string} text
 * @param {string} id
 * @returns {Promise<HTMLElement>}
 */
async function compare(text, id) {
  try {
    const { statement } = await fetchReceipt(id);
    const bytes = new TextEncoder().encode(text);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return statement.predicate.output?.sha256 === hex
      ? state("ok", "The text above matches its receipt")
      : state("bad", "The text above does not match its receipt");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return state("unknown", `Not compared with its receipt. ${why}`);
  }
}
