/** The state of enclave, diode and daemon, and the kernel's counters. */
import { byId, el, facts, state, time } from "./dom.js";
import {
  diodeWords,
  enclaveWords,
  numberWords,
  orUnknown,
  phaseWords,
  reasonWords,
} from "./words.js";

/** @typedef {[label: string, value: Node | string]} Row */

/**
 * Shows a status.
 * @param {any} status what `/api/status` said last; null: nothing yet
 * @param {boolean} live whether that is from now; if not, every state is unknown
 */
export function showGate(status, live) {
  showPart("enclave", enclaveWords(status), live, enclaveFacts(status?.enclave));
  showPart("diode", diodeWords(status), live, diodeFacts(status?.diode));
  showPart("daemon", phaseWords(status?.phase), live, daemonFacts(status));
  showCounters(status?.diode?.counters);
}

/**
 * @param {string} name
 * @param {import("./words.js").Said} said
 * @param {boolean} live
 * @param {{ main: Row[], more: Row[] }} rows
 */
function showPart(name, said, live, rows) {
  const head = live ? [state(said.tone, said.text)] : [state("unknown", "Unknown")];
  if (!live && said.tone !== "unknown") {
    head.push(el("span", { class: "last-known" }, `last known: ${said.text.toLowerCase()}`));
  }
  replace(byId(`${name}-state`), ...head);
  replace(byId(`${name}-facts`), facts(rows.main));
  replace(byId(`${name}-more`), facts(rows.more, "fields"));
}

/**
 * Replaces the content only where it differs, so that a reader's selection survives the next poll.
 * @param {HTMLElement} parent
 * @param {...Node} children
 */
function replace(parent, ...children) {
  const fresh = el("div", {}, ...children);
  if (fresh.innerHTML !== parent.innerHTML) parent.replaceChildren(...Array.from(fresh.childNodes));
}

/** @param {any} enclave */
function enclaveFacts(enclave) {
  const boot = enclave?.bootSeconds;
  const restarts = enclave?.restarts;
  return {
    main: /** @type {Row[]} */ ([
      ["Model", orUnknown(enclave?.model)],
      ["Runs on", accelWords(enclave?.accel)],
      ["Boot", typeof boot === "number" ? `${boot} s` : "unknown"],
    ]),
    more: /** @type {Row[]} */ ([
      ["Restarts", numberWords(restarts)],
      ["Process", orUnknown(enclave?.pid)],
      ["Why so", orUnknown(enclave?.accelReason)],
      ["Model file", digest(enclave?.modelDigest)],
      ["Image", digest(enclave?.image)],
    ]),
  };
}

/** @param {unknown} accel */
function accelWords(accel) {
  if (accel === "kvm") return "KVM";
  return accel === "tcg" ? "TCG (emulated)" : orUnknown(accel);
}

/** @param {any} diode */
function diodeFacts(diode) {
  const digests = Object.entries(diode?.digests ?? {});
  const adopted = diode?.adopted;
  return {
    main: /** @type {Row[]} */ ([
      ["Predicate", orUnknown(diode?.name)],
      ["Passed", numberWords(diode && total(diode.counters).passed)],
      ["Dropped", numberWords(diode && total(diode.counters).dropped)],
    ]),
    more: /** @type {Row[]} */ ([
      ["XDP link", orUnknown(diode?.linkId)],
      ["Program", orUnknown(diode?.programId)],
      ["Raised", adopted === undefined ? "unknown" : adopted ? "by an earlier daemon" : "at start"],
      ...digests.map(([name, value]) => [label(name), digest(value)]),
    ]),
  };
}

/** @param {any} status */
function daemonFacts(status) {
  const policy = status?.policy;
  return {
    main: /** @type {Row[]} */ ([
      ["Policy", policy ? `${orUnknown(policy.name)} ${policy.version ?? ""}`.trim() : "unknown"],
      ["Since", status?.started ? time(status.started, true) : "unknown"],
      ["Receipts", numberWords(status?.receipts)],
    ]),
    more: /** @type {Row[]} */ ([
      ["Version", orUnknown(status?.version)],
      ["Instance", orUnknown(status?.instance)],
      ["Process", orUnknown(status?.pid)],
      ["Address", orUnknown(status?.listen)],
      ["Policy file", digest(policy?.sha256)],
      ["Policies by request", policy?.allowed ? namesOf(policy.allowed) : "unknown"],
    ]),
  };
}

/** @param {{ name: string }[]} policies */
function namesOf(policies) {
  return policies.map(({ name }) => name).join(", ") || "none";
}

/** @param {unknown} value */
function digest(value) {
  return typeof value === "string" && value !== ""
    ? el("code", { class: "digest" }, value)
    : "unknown";
}

/** @param {string} name `linkRules` → `Link rules` */
function label(name) {
  const words = name.replace(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const NO_DROP = new Set(["pass", "pass_empty", "events_lost"]);

/**
 * @param {Record<string, number>} [counters]
 * @returns {{ passed: number, dropped: number }}
 */
function total(counters = {}) {
  let [passed, dropped] = [0, 0];
  for (const [reason, count] of Object.entries(counters)) {
    if (reason === "pass" || reason === "pass_empty") passed += count;
    else if (!NO_DROP.has(reason)) dropped += count;
  }
  return { passed, dropped };
}

/** @param {Record<string, number>} [counters] */
function showCounters(counters) {
  const table = byId("counters");
  if (!counters) {
    replace(table, el("p", { class: "empty" }, "Unknown: no diode has told its counters."));
    byId("counters-zero").hidden = true;
    return;
  }
  const all = Object.entries(counters);
  const shown = all.filter(([reason, count]) => count > 0 || reason === "pass");
  const zero = all.filter(([reason, count]) => count === 0 && reason !== "pass");
  replace(table, counterList(shown));
  byId("counters-zero").hidden = zero.length === 0;
  replace(byId("counters-zero-title"), el("span", {}, `${zero.length} other reasons, none so far`));
  replace(byId("counters-zero-list"), counterList(zero));
}

/** @param {[reason: string, count: number][]} entries */
function counterList(entries) {
  return el(
    "ul",
    { class: "counters" },
    ...entries.map(([reason, count]) =>
      el(
        "li",
        NO_DROP.has(reason) ? {} : { class: count > 0 ? "dropped" : "" },
        el("span", { title: reason }, reasonWords(reason)),
        el("span", { class: "count" }, numberWords(count)),
      )
    ),
  );
}
