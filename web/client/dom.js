/** Makes elements. Every text goes through `pieces`; nothing is ever read as HTML. */
import { pieces, plainText } from "./visible.js";

/**
 * @param {string} text
 * @returns {Node[]} text nodes, and marks for characters that would not be seen.
 */
export function textNodes(text) {
  return pieces(text).map((piece) => {
    if (!piece.marked) return document.createTextNode(piece.text);
    const mark = document.createElement("span");
    mark.className = "mark";
    mark.title = `an invisible character, ${piece.text}`;
    mark.textContent = piece.text;
    return mark;
  });
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} attributes
 * @param {(Node | string | null)[]} children strings become text; null is left out
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, plainText(value));
  }
  for (const child of children) {
    if (typeof child === "string") element.append(...textNodes(child));
    else if (child !== null) element.append(child);
  }
  return element;
}

/**
 * @param {string} id
 * @returns {HTMLElement} the page's element.
 * @throws {Error} when the page has none.
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`The page has no element ${id}`);
  return element;
}

/**
 * @param {string} tone `ok`, `wait`, `bad` or `unknown`
 * @param {string} text
 * @returns {HTMLElement} a dot and what it means: never colour alone.
 */
export function state(tone, text) {
  return el("span", { class: "state", "data-tone": tone }, text);
}

/**
 * @param {[label: string, value: Node | string][]} rows
 * @param {string} [kind] a class
 * @returns {HTMLElement} a description list.
 */
export function facts(rows, kind = "facts") {
  return el(
    "dl",
    { class: kind },
    ...rows.map(([label, value]) => el("div", {}, el("dt", {}, label), el("dd", {}, value))),
  );
}

/**
 * @param {string} iso RFC 3339
 * @param {boolean} [withDate]
 * @returns {HTMLElement} the time where the reader is; the exact one as its title.
 */
export function time(iso, withDate = false) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return el("span", {}, "unknown");
  return el("time", { datetime: iso, title: iso }, clock(date, withDate));
}

/**
 * @param {Date} date
 * @param {boolean} [withDate]
 */
export function clock(date, withDate = false) {
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const hours = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  if (!withDate) return hours;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${hours}`;
}
