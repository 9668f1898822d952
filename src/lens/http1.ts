/**
 * A strict reader of one HTTP/1.1 response (RFC 9112). The server is not trusted: everything is
 * bounded, and whatever is not exactly of the form that we expect is an error, never repaired.
 */
import { Exit, VeiError } from "../base/errors.ts";

const MAX_HEAD_BYTES = 16 * 1024;
const MAX_HEADERS = 64;
const MAX_CHUNK_BYTES = 16 * 1024 * 1024;

const CR = 13;
const LF = 10;

export interface ResponseHead {
  status: number;
  /** Field names in lower case. */
  headers: ReadonlyMap<string, string>;
}

/** @returns the error for an answer that breaks the protocol. */
export function malformed(message: string): VeiError {
  return new VeiError({
    code: "model-answer-malformed",
    message: `The model server's answer is not well formed: ${message}`,
    hint: "the answer was discarded; `vei status` shows whether the enclave is well",
    exit: Exit.data,
  });
}

type State = "head" | "sized" | "chunk-size" | "chunk-data" | "chunk-end" | "last-chunk" | "done";

/** Reads a response from pieces of any size. */
export class ResponseReader {
  head: ResponseHead | null = null;
  private state: State = "head";
  private line: number[] = [];
  private headBytes = 0;
  private lines: string[] = [];
  private left = 0;

  /** Whether the whole body has been read. */
  get done(): boolean {
    return this.state === "done";
  }

  /**
   * @param bytes the next bytes from the wire.
   * @returns the body's bytes among them, framing taken off.
   * @throws VeiError `model-answer-malformed`; the reader is of no use afterwards.
   */
  push(bytes: Uint8Array): Uint8Array[] {
    const body: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.state === "done") throw malformed("bytes after the end of the body");
      if (this.state === "sized" || this.state === "chunk-data") {
        const take = Math.min(this.left, bytes.length - at);
        body.push(bytes.subarray(at, at + take));
        at += take;
        this.left -= take;
        if (this.left === 0) this.state = this.state === "sized" ? "done" : "chunk-end";
        continue;
      }
      this.byte(bytes[at++]);
    }
    return body;
  }

  /** Says that the connection has ended. @throws VeiError unless the body was complete. */
  end(): void {
    if (this.state !== "done") throw malformed("it ended in the middle");
  }

  private byte(byte: number): void {
    if (this.state === "head" && ++this.headBytes > MAX_HEAD_BYTES) {
      throw malformed(`a head of more than ${MAX_HEAD_BYTES} bytes`);
    }
    this.line.push(byte);
    const n = this.line.length;
    if (byte === LF) {
      if (n < 2 || this.line[n - 2] !== CR) throw malformed("a line that ends without CR");
      this.endOfLine(String.fromCharCode(...this.line.slice(0, -2)));
      this.line = [];
    } else if (n >= 2 && this.line[n - 2] === CR) {
      throw malformed("a CR inside a line");
    } else if (this.state !== "head" && n > 16) {
      throw malformed("a chunk's size line is too long");
    }
  }

  private endOfLine(line: string): void {
    switch (this.state) {
      case "head":
        if (line !== "") this.addHeadLine(line);
        else this.endOfHead();
        return;
      case "chunk-size": {
        if (!/^[0-9a-fA-F]{1,7}$/.test(line)) throw malformed("a chunk's size");
        this.left = parseInt(line, 16);
        if (this.left > MAX_CHUNK_BYTES) throw malformed("a chunk's size is too large");
        this.state = this.left === 0 ? "last-chunk" : "chunk-data";
        return;
      }
      case "chunk-end":
        if (line !== "") throw malformed("a chunk longer than its size");
        this.state = "chunk-size";
        return;
      default:
        if (line !== "") throw malformed("trailer fields");
        this.state = "done";
    }
  }

  private addHeadLine(line: string): void {
    if (this.lines.push(line) > MAX_HEADERS) throw malformed("too many header fields");
  }

  private endOfHead(): void {
    const [statusLine, ...fields] = this.lines;
    const status = /^HTTP\/1\.1 ([2-5]\d\d)(?: [\t\x20-\x7e]*)?$/.exec(statusLine ?? "");
    if (!status) throw malformed("its status line");
    const headers = new Map<string, string>();
    for (const field of fields) {
      const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*?)[ \t]*$/.exec(field);
      if (!match) throw malformed("a header field");
      const name = match[1].toLowerCase();
      if (headers.has(name)) throw malformed(`the field ${name} twice`);
      headers.set(name, match[2]);
    }
    this.head = { status: Number(status[1]), headers };
    this.state = this.bodyState(headers);
  }

  private bodyState(headers: ReadonlyMap<string, string>): State {
    if (headers.has("content-encoding")) throw malformed("it is compressed");
    const transfer = headers.get("transfer-encoding");
    const length = headers.get("content-length");
    if (transfer !== undefined) {
      if (transfer.toLowerCase() !== "chunked" || length !== undefined) {
        throw malformed("its transfer encoding");
      }
      return "chunk-size";
    }
    if (length === undefined || !/^\d{1,9}$/.test(length)) throw malformed("its content length");
    this.left = Number(length);
    return this.left === 0 ? "done" : "sized";
  }
}
