/** The page's words for what the API says in codes. A code without words is shown as it is. */

/**
 * @typedef {"ok" | "wait" | "bad" | "unknown"} Tone
 * @typedef {{ tone: Tone, text: string }} Said
 */

/** @type {Record<string, Said>} */
const PHASES = {
  starting: { tone: "wait", text: "Starting" },
  booting: { tone: "wait", text: "Waiting for the enclave" },
  ready: { tone: "ok", text: "Ready" },
  restarting: { tone: "wait", text: "Restarting the enclave" },
  "gate-lost": { tone: "bad", text: "Gate lost" },
  stopping: { tone: "wait", text: "Stopping" },
};

/**
 * @param {unknown} phase
 * @returns {Said}
 */
export function phaseWords(phase) {
  if (typeof phase !== "string") return { tone: "unknown", text: "Unknown" };
  return PHASES[phase] ?? { tone: "unknown", text: phase };
}

/**
 * The diode as the daemon's status tells it.
 * @param {any} status
 * @returns {Said}
 */
export function diodeWords(status) {
  if (status?.phase === "gate-lost") return { tone: "bad", text: "Lost, tap down" };
  if (!status?.diode) return { tone: "unknown", text: "Unknown" };
  return { tone: "ok", text: "Attached" };
}

/**
 * @param {any} status
 * @returns {Said}
 */
export function enclaveWords(status) {
  const enclave = status?.enclave;
  if (!enclave) return { tone: "unknown", text: "Unknown" };
  if (status.phase === "gate-lost") return { tone: "bad", text: "Ended, gate lost" };
  if (enclave.pid === null && status.phase !== "booting") {
    return { tone: "wait", text: "Not running" };
  }
  if (status.phase === "ready") return { tone: "ok", text: "Running" };
  return { tone: "wait", text: "Booting" };
}

/**
 * @param {any} verdict a receipt's
 * @returns {Said}
 */
export function verdictWords(verdict) {
  switch (verdict?.outcome) {
    case "completed":
      return {
        tone: "ok",
        text: verdict.finish === "length" ? "Complete, at the length limit" : "Complete",
      };
    case "aborted":
      return { tone: "bad", text: `Stopped by the ${byWords(verdict.by)}` };
    case "refused":
      return { tone: "bad", text: "Prompt refused" };
    case "interrupted":
      return { tone: "wait", text: "Interrupted" };
    case "applied":
      return { tone: "ok", text: "Configuration reloaded" };
    default:
      return { tone: "unknown", text: String(verdict?.outcome ?? "Unknown") };
  }
}

/** @param {unknown} by who stopped an answer */
export function byWords(by) {
  if (by === "monitor") return "monitor";
  return by === "kernel" ? "diode in the kernel" : "gate";
}

/**
 * @param {any} verdict a receipt's
 * @returns {string} rule and place, or why; empty where there is nothing to add.
 */
export function verdictDetail(verdict) {
  switch (verdict?.outcome) {
    case "aborted":
      return causeWords(verdict.by, verdict.rule, verdict.offset);
    case "refused":
      return causeWords("monitor", verdict.rule, verdict.offset);
    case "interrupted":
      return String(verdict.why ?? "");
    default:
      return "";
  }
}

/**
 * @param {unknown} by who stopped it
 * @param {unknown} rule the policy's rule, or the diode's reason
 * @param {unknown} offset of the byte that decides: of the answer, or of the packet's content
 * @returns {string} `rule hate, byte 41`
 */
export function causeWords(by, rule, offset) {
  const at = typeof offset === "number" ? String(offset) : "unknown";
  if (by !== "kernel") return `rule ${rule ?? "unknown"}, byte ${at}`;
  const reason = String(rule ?? "unknown");
  const words = reasonWords(reason).toLowerCase();
  return `${reason === words ? reason : `${words} (rule ${reason})`}, packet byte ${at}`;
}

/** @type {Record<string, string>} */
const REASONS = {
  pass: "Passed, with content",
  pass_empty: "Passed, without content",
  events_lost: "Decisions not reported in time",
  oversize: "Frame too long",
  short: "Frame too short",
  length: "Length does not fit",
  mac: "Wrong MAC address",
  ethertype: "Not IPv4",
  ip_header: "IP options",
  fragment: "Fragment",
  protocol: "Not TCP",
  address: "Wrong IP address",
  port: "Wrong port",
  flags: "TCP flags not allowed",
  reserved: "Reserved TCP bits",
  options: "TCP options",
  syn_payload: "Content in a SYN",
  empty: "Frame without content",
  walk_limit: "Content too long to check",
  predicate: "Forbidden content",
};

/** @param {string} reason */
export function reasonWords(reason) {
  return Object.hasOwn(REASONS, reason) ? REASONS[reason] : reason;
}

/** @type {Record<string, string>} */
const KINDS = { drop: "Dropped", enclave: "Enclave", diode: "Diode", daemon: "Daemon" };

/** @param {string} kind of a gate event */
export function kindWords(kind) {
  return Object.hasOwn(KINDS, kind) ? KINDS[kind] : kind;
}

const GROUPED = new Intl.NumberFormat("en-GB");

/**
 * @param {unknown} value
 * @returns {string} `12,345`, or `unknown`.
 */
export function numberWords(value) {
  return typeof value === "number" && Number.isFinite(value) ? GROUPED.format(value) : "unknown";
}

/**
 * @param {unknown} value
 * @returns {string} as text; null, undefined and the empty text are `unknown`.
 */
export function orUnknown(value) {
  return value === null || value === undefined || value === "" ? "unknown" : String(value);
}
