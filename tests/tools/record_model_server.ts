/**
 * Records what the guest's own llama-server sends, packet by packet: the answers that every diode of
 * an enclave has to let through. A tiny model says the words; all the rest is the real thing.
 *
 *     deno run -A tests/tools/record_model_server.ts > diodes/recorded/model_server.json
 */
import { openLibraries } from "../../ffi/native.ts";
import { withNetns } from "../../ffi/netns.ts";
import { PacketSocket } from "../../ffi/packet_socket.ts";
import { Box, until } from "./daemon.ts";

/** No diode that is of use refuses these words. */
const SAYS = ["Good", " morning", "."];

/** TCP payloads by the host's port, in the order of their first arrival. */
class Recorder implements Disposable {
  readonly flows = new Map<number, Map<number, string>>();
  private readonly timer = setInterval(() => this.look(), 5);
  private socket: PacketSocket | null = null;

  constructor(private readonly box: Box) {}

  private look(): void {
    const { netns } = this.box.instance;
    const tap = this.box.tap();
    if (!tap?.up) return;
    this.socket ??= withNetns(netns, () => PacketSocket.open(tap.index));
    for (let frame; (frame = this.receive()) !== null;) this.add(frame);
  }

  private receive(): Uint8Array<ArrayBuffer> | null {
    try {
      return this.socket!.receive();
    } catch {
      // ENETDOWN is told once when the tap has gone down, between two attempts.
      return null;
    }
  }

  /** The diode has let it through: IPv4 without options, and TCP. */
  private add(frame: Uint8Array<ArrayBuffer>): void {
    const payload = frame.subarray(34 + 4 * (frame[46] >> 4));
    const view = new DataView(frame.buffer);
    if (payload.length === 0) return;
    const [port, sequence] = [view.getUint16(36), view.getUint32(38)];
    const flow = this.flows.get(port) ?? new Map();
    this.flows.set(port, flow.has(sequence) ? flow : flow.set(sequence, latin(payload)));
  }

  /** @returns the packets of the first flow that holds a text. */
  flow(text: string): string[] | null {
    for (const flow of this.flows.values()) {
      if ([...flow.values()].join("").includes(text)) return [...flow.values()];
    }
    return null;
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer);
    this.socket?.[Symbol.dispose]();
  }
}

/** One character a byte. @throws Error for bytes that are not ASCII, which would be written otherwise. */
function latin(payload: Uint8Array): string {
  if (payload.some((byte) => byte > 0x7f)) throw new Error("the server sends more than ASCII");
  return String.fromCharCode(...payload);
}

openLibraries();
await using box = await Box.make({ model: { says: SAYS } });
using recorder = new Recorder(box);
await box.serving({ config: '[diode]\nname = "utf8"\n' });
await (await box.chat(8)).text();
const streamed = await until("the answer's end", () => {
  const flow = recorder.flow("text/event-stream");
  return flow?.join("").endsWith("0\r\n\r\n") ? flow : null;
}, { ms: 10_000 });
recorder[Symbol.dispose]();
await box.stop();
console.log(JSON.stringify(
  {
    loading: recorder.flow("Loading model") ?? [],
    greeting: recorder.flow('{"status":"ok"}')!,
    streamed,
  },
  null,
  2,
));
