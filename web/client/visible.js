/** Makes control, direction and invisible characters visible: what a model says is data. */

/**
 * Controls but tab and line feed; soft hyphen and fillers; direction marks, embeddings, overrides and
 * isolates; zero-width space, word joiner and their kin; interlinear marks; tags and the variation
 * selectors that can smuggle text. The joiners U+200C and U+200D stay: scripts and emoji need them.
 */
const MARKED =
  // deno-lint-ignore no-control-regex
  /[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/u;

/**
 * @typedef {object} Piece
 * @property {string} text what to show
 * @property {boolean} marked whether it stands for a character that would not be seen
 */

/**
 * @param {string} text
 * @returns {Piece[]} in order; a marked piece reads `U+202E`. Carriage return before line feed goes.
 */
export function pieces(text) {
  /** @type {Piece[]} */
  const found = [];
  let plain = "";
  for (const character of text.replaceAll("\r\n", "\n")) {
    if (!MARKED.test(character)) {
      plain += character;
      continue;
    }
    if (plain !== "") found.push({ text: plain, marked: false });
    plain = "";
    found.push({ text: codePoint(character), marked: true });
  }
  if (plain !== "") found.push({ text: plain, marked: false });
  return found;
}

/**
 * @param {string} text
 * @returns {string} one line for attributes and announcements, the same characters spelt out.
 */
export function plainText(text) {
  return pieces(text).map((piece) => piece.marked ? `[${piece.text}]` : piece.text).join("");
}

/** @param {string} character */
function codePoint(character) {
  const value = /** @type {number} */ (character.codePointAt(0));
  return `U+${value.toString(16).toUpperCase().padStart(4, "0")}`;
}
