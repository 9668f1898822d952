/** What the page loads, embedded as text: served exactly as it is in the source. */
import askPanel from "./client/ask_panel.js" with { type: "text" };
import chat from "./client/chat.js" with { type: "text" };
import dom from "./client/dom.js" with { type: "text" };
import eventsPanel from "./client/events_panel.js" with { type: "text" };
import gatePanel from "./client/gate_panel.js" with { type: "text" };
import link from "./client/link.js" with { type: "text" };
import main from "./client/main.js" with { type: "text" };
import receiptFields from "./client/receipt_fields.js" with { type: "text" };
import receiptView from "./client/receipt_view.js" with { type: "text" };
import receiptsPanel from "./client/receipts_panel.js" with { type: "text" };
import sse from "./client/sse.js" with { type: "text" };
import visible from "./client/visible.js" with { type: "text" };
import words from "./client/words.js" with { type: "text" };
import icon from "./icon.svg" with { type: "text" };
import base from "./style/base.css" with { type: "text" };
import panels from "./style/panels.css" with { type: "text" };
import receipt from "./style/receipt.css" with { type: "text" };

export interface Asset {
  readonly type: string;
  readonly text: string;
}

const script = (text: string): Asset => ({ type: "text/javascript; charset=utf-8", text });

/** By name, as in `/assets/NAME`. */
export const ASSETS: Readonly<Record<string, Asset>> = {
  "ask_panel.js": script(askPanel),
  "chat.js": script(chat),
  "dom.js": script(dom),
  "events_panel.js": script(eventsPanel),
  "gate_panel.js": script(gatePanel),
  "link.js": script(link),
  "main.js": script(main),
  "receipt_fields.js": script(receiptFields),
  "receipt_view.js": script(receiptView),
  "receipts_panel.js": script(receiptsPanel),
  "sse.js": script(sse),
  "visible.js": script(visible),
  "words.js": script(words),
  "icon.svg": { type: "image/svg+xml", text: icon },
  "style.css": { type: "text/css; charset=utf-8", text: base + panels + receipt },
};
