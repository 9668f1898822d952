/** Whether the model server in the guest is ready: one bounded question, strictly read. */
import { VeiError } from "../src/base/errors.ts";
import { assertLocalAddress, GUEST_PORT } from "./link.ts";

const MAX_ANSWER_BYTES = 4096;
const PROBE_MS = 2000;

/**
 * @param text an HTTP response, complete.
 * @returns true for exactly status 200 with the JSON object {"status":"ok"}; anything else, however
 * malformed, counts as not ready.
 */
export function isReadyAnswer(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0 || text.length > MAX_ANSWER_BYTES) return false;
  const [first, ...fields] = text.slice(0, end).split("\r\n");
  if (!/^HTTP\/1\.1 200(?: |$)/.test(first)) return false;
  const lengths = fields.filter((field) => /^content-length:/i.test(field));
  const body = text.slice(end + 4);
  const size = new TextEncoder().encode(body).length;
  if (lengths.length !== 1 || lengths[0].slice(15).trim() !== String(size)) return false;
  try {
    const value = JSON.parse(body);
    return typeof value === "object" && value !== null && Object.keys(value).length === 1 &&
      value.status === "ok";
  } catch {
    return false;
  }
}

/**
 * Asks once, over a connection of its own, from the calling thread's namespace.
 * @param stop ends the question.
 * @returns whether the server is ready; false also when nobody answers within 2 s.
 * @throws VeiError `link-wrong-address` when the connection was not made inside the link.
 */
export async function isReady(guest: string, host: string, stop: AbortSignal): Promise<boolean> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PROBE_MS);
  const signal = AbortSignal.any([late.signal, stop]);
  let connection: Deno.TcpConn | undefined;
  let open = false;
  const close = () => {
    if (open) connection!.close();
    open = false;
  };
  signal.addEventListener("abort", close, { once: true });
  try {
    connection = await Deno.connect({ hostname: guest, port: GUEST_PORT, signal });
    open = true;
    assertLocalAddress(connection, host);
    const request = `GET /health HTTP/1.1\r\nHost: ${guest}:${GUEST_PORT}\r\n` +
      "Accept: application/json\r\nConnection: close\r\n\r\n";
    await connection.write(new TextEncoder().encode(request));
    return isReadyAnswer(await readAnswer(connection));
  } catch (error) {
    if (error instanceof VeiError) {
      open = false; // assertLocalAddress has closed it.
      throw error;
    }
    return false;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", close);
    close();
  }
}

async function readAnswer(connection: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(MAX_ANSWER_BYTES + 1);
  let size = 0;
  while (size < buffer.length) {
    const count = await connection.read(buffer.subarray(size));
    if (count === null) break;
    size += count;
  }
  return new TextDecoder().decode(buffer.subarray(0, size));
}
