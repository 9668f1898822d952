/** A receipt's statement, laid out for reading: sections of labelled values. */

/**
 * @typedef {object} Field
 * @property {string} label
 * @property {string} value
 * @property {boolean} digest whether it is a digest or an id: shown in monospace
 *
 * @typedef {object} Section
 * @property {string} title
 * @property {Field[]} fields
 */

/** Title, then the predicate's keys in it. What no section names comes last, so nothing is hidden. */
/** @type {[title: string, keys: string[]][]} */
const SECTIONS = [
  ["Exchange", ["kind", "sequence", "id", "proof_id", "time"]],
  ["Verdict", ["verdict"]],
  ["Input", ["input"]],
  ["Output", ["output"]],
  ["Policy", ["policy"]],
  ["Model", ["model"]],
  ["Diode", ["diode"]],
  ["Enclave", ["enclave"]],
  ["Kernel", ["kernel"]],
  ["Reload", ["reload"]],
  ["Program", ["program"]],
  ["Signer", ["node"]],
];

/** @type {Record<string, string[]>} */
const ORDER = {
  time: ["start", "first_byte", "end"],
  verdict: ["outcome", "by", "finish", "why", "rule", "offset", "start"],
  policy: ["name", "version", "sha256", "automaton"],
  model: ["kind", "name", "sha256"],
  kernel: ["link_id", "program_id", "flow", "drops", "replaced_by"],
  reload: ["generation", "changed", "config", "policy", "diode"],
  "reload.config": ["before", "after"],
  "reload.policy": ["before", "after"],
  "reload.diode": ["before", "after"],
};

/** What `null` says, where it says more than "unknown". */
/** @type {Record<string, string>} */
const NULLS = {
  diode: "none stood before this model",
  enclave: "the model did not run in one",
  kernel: "nothing was seen by a kernel gate",
  "time.first_byte": "nothing was released",
  "kernel.flow": "that of the request",
  "reload.config.before": "no file, the defaults held",
  "reload.config.after": "no file, the defaults hold",
  "reload.diode": "none stands before this model",
  "verdict.offset": "no byte decided",
  "verdict.start": "not known to the kernel",
};

/** Shown above all, not as a section. */
const ELSEWHERE = new Set(["lacks"]);

/**
 * @param {any} predicate the receipt
 * @returns {Section[]}
 */
export function sectionsOf(predicate) {
  const named = new Set(SECTIONS.flatMap(([, keys]) => keys));
  const rest = Object.keys(predicate).filter((key) => !named.has(key) && !ELSEWHERE.has(key));
  /** @type {[string, string[]][]} */
  const all = [...SECTIONS, ["Other", rest]];
  return all.map(([title, keys]) => ({
    title,
    fields: keys.filter((key) => key in predicate).flatMap((key) => {
      const bare = title.toLowerCase() === key || key === "time";
      const value = key === "kernel" ? withCounters(predicate[key]) : predicate[key];
      return flatten(value, [key], bare ? [] : [key]);
    }),
  })).filter((section) => section.fields.length > 0);
}

/**
 * @param {unknown} value
 * @param {string[]} path where it stands in the receipt
 * @param {string[]} shown the part of the path that the label says
 * @returns {Field[]}
 */
function flatten(value, path, shown) {
  const label = labelOf(shown.length > 0 ? shown : ["this"]);
  if (value === null) {
    return [{ label, value: NULLS[path.join(".")] ?? "unknown", digest: false }];
  }
  if (Array.isArray(value) && value.length === 0) {
    return [{ label, value: "none", digest: false }];
  }
  if (typeof value === "object") {
    const counts = Object.values(value);
    if (counts.length === 0) return [{ label, value: "none", digest: false }];
    const isList = Array.isArray(value);
    return inOrder(value, ORDER[path.join(".")] ?? []).flatMap(([key, inner]) => {
      const name = isList ? String(Number(key) + 1) : key;
      return flatten(inner, [...path, key], [...shown, name]);
    });
  }
  const text = typeof value === "number" && value > 9999
    ? value.toLocaleString("en-GB")
    : String(value);
  return [{ label, value: text, digest: /^[0-9a-f-]{32,}$/.test(text) }];
}

/**
 * @param {object} value
 * @param {string[]} order the keys that come first
 * @returns {[string, unknown][]}
 */
function inOrder(value, order) {
  const rank = (/** @type {string} */ key) => order.includes(key) ? order.indexOf(key) : Infinity;
  return Object.entries(value).sort(([a], [b]) =>
    rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0
  );
}

/**
 * @param {any} kernel
 * @returns {unknown} with one line for each counter that moved or stood, in place of two tables.
 */
function withCounters(kernel) {
  if (kernel === null || typeof kernel !== "object") return kernel;
  const { counters_before: before = {}, counters_after: after, ...rest } = kernel;
  const reasons = Object.keys({ ...before, ...after });
  const told = reasons.filter((reason) => before[reason] !== 0 || after?.[reason] !== 0);
  /** @type {Record<string, string>} */
  const counters = {};
  for (const reason of told) {
    const was = before[reason] ?? "unknown";
    const is = after?.[reason] ?? "unknown";
    counters[reason] = was === is ? `${was}, as before` : `${is}, before it ${was}`;
  }
  if (told.length < reasons.length) counters.others = `${reasons.length - told.length}, all at 0`;
  return { ...rest, counter: counters };
}

/** @type {Record<string, string>} */
const LABELS = {
  id: "Id",
  proof_id: "Proof id",
  sha256: "SHA-256",
  qemu_version: "QEMU version",
  qemu_arguments: "QEMU arguments",
  first_byte: "first byte",
  node: "Key fingerprint",
  this: "This",
  initrd: "Initrd",
};

/** @param {string[]} path */
function labelOf(path) {
  const words = path.map((key) => LABELS[key] ?? key.replaceAll("_", " ")).join(", ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * @param {any} envelope DSSE
 * @returns {any} the statement in it.
 * @throws {SyntaxError} when there is none.
 */
export function statementOf(envelope) {
  try {
    const bytes = Uint8Array.from(atob(envelope.payload), (byte) => byte.charCodeAt(0));
    const statement = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof statement.predicate !== "object" || statement.predicate === null) throw null;
    return statement;
  } catch {
    throw new SyntaxError("Cannot read the receipt: it is not a statement in an envelope");
  }
}

/**
 * What this page can tell without the signer's key.
 * @param {any} envelope
 * @param {any} statement
 * @param {string} id that was asked for
 * @returns {{ fits: boolean, text: string }[]}
 */
export function checksOf(envelope, statement, id) {
  const { predicate } = statement;
  const signer = envelope.signatures?.[0]?.keyid;
  return [
    predicate.id === id
      ? { fits: true, text: "It is the receipt that was asked for" }
      : { fits: false, text: "It is another receipt than was asked for" },
    signer !== undefined && predicate.node === signer
      ? { fits: true, text: "Receipt and signature name the same key" }
      : { fits: false, text: "Receipt and signature name different keys" },
  ];
}
