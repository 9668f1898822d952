/** Starts the page's parts and ties them together. */
import { startAsking } from "./ask_panel.js";
import { byId, clock, state } from "./dom.js";
import { EventsPanel } from "./events_panel.js";
import { showGate } from "./gate_panel.js";
import { Link } from "./link.js";
import { followAddress } from "./receipt_view.js";
import { ReceiptsPanel } from "./receipts_panel.js";
import { phaseWords } from "./words.js";

const events = new EventsPanel();
const receipts = new ReceiptsPanel();
/** @type {any} */
let status = null;
/** @type {import("./link.js").LinkState} */
let link = "connecting";

/** @param {string} text for a screen reader, politely */
function announce(text) {
  // Emptied first: the same words twice are news twice.
  byId("announce").textContent = "";
  setTimeout(() => byId("announce").textContent = text, 50);
}

/** @type {Record<import("./link.js").LinkState, [tone: string, text: string]>} */
const LINK_WORDS = {
  connecting: ["wait", "Connecting"],
  live: ["ok", "Live"],
  lost: ["bad", "Disconnected"],
};

/** @param {import("./link.js").LinkState} now */
function onState(now) {
  const before = link;
  link = now;
  byId("link").replaceChildren(state(...LINK_WORDS[now]));
  byId("lost").hidden = now !== "lost";
  document.body.dataset.link = now;
  if (now === "lost") {
    byId("lost-since").textContent = clock(new Date());
    announce("Disconnected from the daemon");
  } else if (before === "lost") {
    announce("Connected to the daemon again");
  }
  showGate(status, link === "live");
  if (now === "live") receipts.refresh();
}

/** @param {any} now */
function onStatus(now) {
  const before = status;
  status = now;
  showGate(status, link === "live");
  if (before === null) return;
  if (before.phase !== now.phase) announce(`The daemon says: ${phaseWords(now.phase).text}`);
  if (before.receipts !== now.receipts) receipts.refresh();
}

startAsking({ announce, onEnd: () => receipts.refresh() });
followAddress();
new Link({ onState, onStatus, onEvent: (event) => events.add(event) }).start();
