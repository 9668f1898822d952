/** One receipt in full, in a dialogue; the address `#receipt/ID` opens it. */
import { byId, el, facts, state } from "./dom.js";
import { checksOf, sectionsOf, statementOf } from "./receipt_fields.js";
import { verdictDetail, verdictWords } from "./words.js";

const ADDRESS = /^#receipt\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/**
 * @param {string} id
 * @returns {Promise<{ envelope: any, statement: any }>}
 * @throws {Error} saying why not.
 */
export async function fetchReceipt(id) {
  const answer = await fetch(`/api/receipts/${id}`).catch(() => null);
  if (answer === null) throw new Error("The daemon does not answer");
  if (answer.status === 404) throw new Error("The daemon has no receipt with this id");
  if (!answer.ok) throw new Error(`The daemon answered with status ${answer.status}`);
  const envelope = await answer.json();
  return { envelope, statement: statementOf(envelope) };
}

/** Opens and closes the dialogue as the address says. */
export function followAddress() {
  const dialog = /** @type {HTMLDialogElement} */ (byId("receipt"));
  const open = async () => {
    const id = ADDRESS.exec(location.hash)?.[1];
    if (id === undefined) return dialog.close();
    const content = byId("receipt-content");
    content.replaceChildren(el("p", { class: "empty" }, "Reading the receipt"));
    if (!dialog.open) dialog.showModal();
    const nodes = await fetchReceipt(id).then(
      ({ envelope, statement }) => render(id, envelope, statement),
      (error) => [el("p", { class: "verdict", "data-tone": "bad" }, `${error.message}.`)],
    );
    if (ADDRESS.exec(location.hash)?.[1] === id) content.replaceChildren(...nodes);
  };
  dialog.addEventListener("close", () => {
    if (ADDRESS.test(location.hash)) history.replaceState(null, "", location.pathname);
  });
  byId("receipt-close").addEventListener("click", () => dialog.close());
  addEventListener("hashchange", open);
  if (location.hash !== "") open();
}

/**
 * @param {string} id
 * @param {any} envelope
 * @param {any} statement
 * @returns {Node[]}
 */
function render(id, envelope, statement) {
  const { predicate } = statement;
  const said = verdictWords(predicate.verdict);
  const detail = verdictDetail(predicate.verdict);
  const lacks = Array.isArray(predicate.lacks) ? predicate.lacks : [];
  const file = `vei-receipt-${id}.json`;
  return [
    el(
      "div",
      { class: "verdict", "data-tone": said.tone },
      state(said.tone, said.text),
      detail === "" ? null : el("p", {}, detail),
    ),
    ...lacks.length === 0 ? [] : [el(
      "div",
      { class: "verdict", "data-tone": "wait" },
      state("wait", "What this exchange did without"),
      el("ul", {}, ...lacks.map((/** @type {unknown} */ text) => el("li", {}, String(text)))),
    )],
    checks(checksOf(envelope, statement, id), file),
    el(
      "p",
      { class: "actions" },
      el("a", { href: `/api/receipts/${id}`, download: file, class: "button" }, "Download"),
    ),
    ...sectionsOf(predicate).map(({ title, fields }) =>
      el(
        "section",
        {},
        el("h3", {}, title),
        facts(
          fields.map(({ label, value, digest }) => [
            label,
            digest ? el("code", { class: "digest" }, value) : value,
          ]),
          "fields",
        ),
      )
    ),
    raw("Statement as JSON", statement),
    raw("Envelope as JSON", envelope),
  ];
}

/**
 * @param {{ fits: boolean, text: string }[]} checks
 * @param {string} file
 */
function checks(checks, file) {
  return el(
    "section",
    { class: "checks" },
    el("h3", {}, "What this page has checked"),
    el(
      "ul",
      {},
      ...checks.map(({ fits, text }) => el("li", {}, state(fits ? "ok" : "bad", text))),
      el("li", {}, state("unknown", "The signature: not checked, this page has no key to trust")),
    ),
    el("p", {}, "To check all of it, download the receipt, and with a key that you trust run"),
    el("p", {}, el("code", { class: "command" }, `vei verify --key KEY ${file}`)),
  );
}

/**
 * @param {string} title
 * @param {unknown} value
 */
function raw(title, value) {
  const text = el("pre", { tabindex: "0" }, JSON.stringify(value, null, 2));
  return el("details", {}, el("summary", {}, title), text);
}
