/**
 * A strict reader of the part of `text/event-stream` (WHATWG HTML §9.2) that OpenAI-compatible
 * servers use: events of one `data:` line each, and comments, which a server sends while it reads a
 * long prompt and which are dropped here. Other fields are a channel that nobody needs, and are
 * refused.
 */
import { malformed } from "./http1.ts";

const MAX_EVENT_BYTES = 256 * 1024;

/** Reads events from pieces of any size. */
export class EventReader {
  private readonly decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  private rest = "";

  /**
   * @returns the data of each event that these bytes complete.
   * @throws VeiError `model-answer-malformed`: not UTF-8, other fields, an event too long.
   */
  push(bytes: Uint8Array): string[] {
    try {
      this.rest += this.decoder.decode(bytes, { stream: true });
    } catch {
      throw malformed("it is not UTF-8");
    }
    const events: string[] = [];
    for (;;) {
      const end = this.rest.indexOf("\n\n");
      if (end < 0) break;
      const event = this.rest.slice(0, end);
      this.rest = this.rest.slice(end + 2);
      if (/^:[^\n]*$/.test(event)) continue;
      const match = /^data: ?([^\n]*)$/.exec(event);
      if (!match) throw malformed("an event that is not one line of data");
      events.push(match[1]);
    }
    if (this.rest.length > MAX_EVENT_BYTES) throw malformed("an event that is too long");
    return events;
  }

  /** Says that the stream has ended. @throws VeiError when an event is incomplete. */
  end(): void {
    if (this.rest !== "") throw malformed("it ended inside an event");
  }
}
