/**
 * Takes out of a text what does not belong into a report that strangers read: secrets, names of
 * people and machines, addresses, paths. What is not known to be harmless goes.
 */

export interface Private {
  /** Names that must not appear: of machines, users, files. As whole words, in any case. */
  names: readonly string[];
  /** Texts that must not appear, wherever they stand: of variables. */
  values: readonly string[];
  /** Folders and files with the word that stands for each, e.g. `/srv/x` and `STATE`. */
  places: readonly (readonly [path: string, word: string])[];
  /** IPv4 addresses that may stay, besides those of the loopback. */
  addresses: readonly string[];
}

/** Below these a path tells nothing of a person. */
const SYSTEM =
  /^\/(usr|bin|sbin|lib|lib64|proc|sys|dev|run\/(netns|systemd)|etc\/(vei|systemd))(\/|$)/;

const PEM = /-----BEGIN[^]*?(-----END[^-]*-----|$)/g;
const ADDRESS_OF_WEB = /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'`)]+/gi;
const MAIL = /\b[\w.+-]+@[\w-]+(\.[\w-]+)*/g;
const PATH = /(?<![\w.>])\/[\w.+@~%-]+(?:\/[\w.+@~%:-]*)*/g;
const IPV4 = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)/g;
const IPV6_OR_MAC =
  /(?<![\w:.])(?:[0-9a-f]{1,4}:){5,7}[0-9a-f]{1,4}\b|(?<![\w:.])[0-9a-f:]*::[0-9a-f:.]*/gi;
const HEX = /(?<!sha256:)\b[0-9a-f]{24,}\b/gi;
/** Mixed case and a digit: words and names of packages have no such run. */
const BASE64 =
  /(?=[A-Za-z0-9+/_-]*[a-z])(?=[A-Za-z0-9+/_-]*[A-Z])(?=[A-Za-z0-9+/_-]*\d)[A-Za-z0-9+/_-]{20,}={0,2}/g;

/** @returns a function that cleans one text. */
export function cleaner({ names, values, places, addresses }: Private): (text: string) => string {
  const hidden = [...new Set(names)].filter((name) => name.trim() !== "")
    .sort((a, b) => b.length - a.length)
    .map((name) => new RegExp(`(?<![A-Za-z0-9])${escape(name)}(?![A-Za-z0-9])`, "gi"));
  const known = [...places].sort((a, b) => b[0].length - a[0].length);
  return (text) => {
    let clean = text.replace(PEM, "<key>").replace(ADDRESS_OF_WEB, "<url>").replace(MAIL, "<mail>");
    for (const [path, word] of known) clean = clean.replaceAll(path, `<${word}>`);
    for (const value of values) clean = clean.replaceAll(value, "<hidden>");
    for (const name of hidden) clean = clean.replace(name, "<hidden>");
    return clean
      .replace(PATH, (path) => SYSTEM.test(path) ? path : "<path>")
      .replace(BASE64, (run) => run.startsWith("/") || run.includes("/usr/") ? run : "<encoded>")
      .replace(HEX, "<hex>")
      .replace(IPV4, (ip) => ip.startsWith("127.") || addresses.includes(ip) ? ip : "<address>")
      .replace(IPV6_OR_MAC, "<address>");
  };
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** The daemon's own sentences; what follows the part that fits is left out. */
const SENTENCES: readonly RegExp[] = [
  /^dropped a frame of \d+ bytes, reason [a-z_-]+( at payload byte \d+)?(, [\d.]+:\d+ → [\d.]+:\d+)?( \(sent again\))?/,
  /^(adopted, still pinned|attached and pinned): link \d+, program \d+/,
  /^tap up behind the diode/,
  /^ready after [\d.]+ s, QEMU's pid \d+/,
  /^booting the virtual machine, attempt \d+ of \d+/,
  /^attempt \d+ failed: (nothing answered within [\d.]+ s|QEMU ended before it was ready|QEMU cannot be found)?/,
  /^ended the orphaned QEMU, pid \d+/,
  /^restarting the enclave on request/,
  /^the virtual machine ended: (ended (by SIG[A-Z]+|by signal \d+|with code \d+)|stopped|killed)?/,
  /^GATE LOST: /,
  /^recorded drops outside of a request, receipt [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/,
  /^wrote \d+ receipts of exchanges that were interrupted/,
  /^cannot (set the tap down|record an incident): /,
  /^API: /,
];

/** @returns as much of a message as is one of our own sentences, and how much was left out. */
export function knownSentence(message: string): string {
  const text = message.replace(/^diode [\w-]+ (?=adopted|attached)/, "");
  for (const sentence of SENTENCES) {
    const [kept] = sentence.exec(text) ?? [];
    if (kept !== undefined) return kept + leftOut(text.length - kept.length);
  }
  return leftOut(message.length).trim();
}

function leftOut(count: number): string {
  return count === 0 ? "" : ` (${count} characters left out)`;
}
