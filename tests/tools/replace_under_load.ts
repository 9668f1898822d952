/**
 * A guarded veth pair with real HTTP on it, while its diode is replaced a hundred times. Each of the
 * diodes forbids what some of the answers hold, so none of that may ever arrive, and each instant
 * there has to be a program.
 */
import { assert, assertEquals } from "@std/assert";
import { detachDiode, raiseDiode } from "../../diodes/manager.ts";
import { shippedDiode } from "../../diodes/plan.ts";
import { provenDiode } from "../../diodes/proof.ts";
import { PacketSocket } from "../../ffi/packet_socket.ts";
import { linkState } from "../../ffi/rtnetlink.ts";
import type { LinkRules } from "../../src/bpf/layout.ts";
import { BOX_IP, CONTAINER_IP, VethWorld } from "../kernel/veth_world.ts";
import { freshName } from "./vei.ts";

const HTTP_PORT = 8000;
const REPLACEMENTS = 100;
const CLIENTS = 3;
/** Longer than a packet, so that it comes in several. */
const CLEAN = "all is well on this wire; ".repeat(800);
/** A forbidden word and a control byte in each eight bytes of it, and it fits into one packet. */
const FORBIDDEN = "\x01hate \x02 ".repeat(24);
const PATIENCE_MS = 8000;

export interface UnderLoad {
  seconds: number;
  replacements: number;
  /** Answers that came as a whole, and bytes of them. */
  clean: number;
  bytes: number;
  /** Requests for a forbidden answer; none of them got any of it. */
  forbidden: number;
  /** Frames that the host was given after XDP; each was looked at. */
  frames: number;
  /** How often the interface was asked for its program. */
  looks: number;
  /** Frames that the diodes dropped for their payload. */
  dropped: number;
  /** Milliseconds that the slowest replacement took. */
  slowestMs: number;
  xdpMode: string;
}

const RULES: LinkRules = {
  hostMac: "00:00:00:00:00:00",
  guestMac: "00:00:00:00:00:00",
  anyMac: true,
  hostIp: BOX_IP,
  guestIp: CONTAINER_IP,
  guestPort: HTTP_PORT,
  anyOptions: true,
  maxFrame: 1514,
};

/** @throws AssertionError when anything forbidden arrives, or the program is ever not there. */
export async function replaceUnderLoad(seconds: number): Promise<UnderLoad> {
  using veth = new VethWorld();
  const { index } = veth.inside(() => linkState(veth.outer)!);
  const pins = `/sys/fs/bpf/${freshName()}`;
  const plans = await Promise.all(
    ["hateless", "text", "hateless", "closed"].map((name) =>
      provenDiode(shippedDiode(name), `${name}.toml`, RULES)
    ),
  );
  const raise = (step: number) =>
    veth.inside(() =>
      raiseDiode({ plan: plans[step % plans.length], ifindex: index, pins, mayBeUp: true })
    );
  using stack = new DisposableStack();
  let guard = raise(0);
  stack.defer(() => {
    guard[Symbol.dispose]();
    detachDiode(pins);
  });
  using ear = veth.inside(() => PacketSocket.open(index));

  const stop = new AbortController();
  await using _server = serve(veth, stop.signal);
  const figures = { clean: 0, bytes: 0, forbidden: 0, frames: 0, looks: 0 };
  const look = () => {
    const { xdpProgramId } = veth.inside(() => linkState(veth.outer)!);
    assert(xdpProgramId !== null, "the interface has no program");
    figures.looks++;
    for (let frame; (frame = ear.receive()) !== null;) {
      figures.frames++;
      const payload = frame.subarray(34 + 4 * (frame[46] >> 4));
      assertEquals(forbiddenIn(payload), null, "a forbidden payload has passed");
    }
  };

  const begun = performance.now();
  const end = begun + seconds * 1000;
  const clients = Promise.all(
    Array.from({ length: CLIENTS }, async (_, i) => {
      for (let n = i; !stop.signal.aborted; n++) {
        if (n % 3 !== 0) {
          if (await get(veth, "/clean", PATIENCE_MS, stop.signal) !== CLEAN) continue;
          figures.clean++;
          figures.bytes += CLEAN.length;
        } else {
          const said = await get(veth, "/forbidden", 150, stop.signal);
          assertEquals(forbiddenIn(new TextEncoder().encode(said)), null, "a client was told it");
          figures.forbidden++;
        }
      }
    }),
  );
  let slowestMs = 0, dropped = 0;
  const replacing = (async () => {
    for (let step = 1; step <= REPLACEMENTS; step++) {
      const due = begun + step * seconds * 1000 / (REPLACEMENTS + 1);
      // The one that lets nothing pass stands for a short time only: TCP would give up.
      const early = (step - 1) % plans.length === 3 ? 0.7 : 0;
      const at = due - early * seconds * 1000 / (REPLACEMENTS + 1);
      do {
        look();
        await new Promise((resolve) => setTimeout(resolve, 3));
      } while (performance.now() < at);
      const before = performance.now();
      const next = raise(step);
      slowestMs = Math.max(slowestMs, performance.now() - before);
      assertEquals(next.how, "replaced");
      dropped += guard.counters().predicate;
      guard[Symbol.dispose]();
      guard = next;
      look();
    }
    while (performance.now() < end) {
      look();
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  })();
  try {
    await Promise.race([replacing, clients.then(() => replacing)]);
  } finally {
    stop.abort();
  }
  await clients;
  look();
  dropped += guard.counters().predicate;
  const { xdpMode } = veth.inside(() => linkState(veth.outer)!);
  const took = (performance.now() - begun) / 1000;
  return { seconds: took, replacements: REPLACEMENTS, ...figures, dropped, slowestMs, xdpMode };
}

/** @returns what is forbidden in these bytes, null for nothing. */
function forbiddenIn(bytes: Uint8Array): string | null {
  // deno-lint-ignore no-control-regex
  return /hate|[\x01\x02]/.exec(new TextDecoder("latin1").decode(bytes))?.[0] ?? null;
}

/** A real HTTP server in the container. */
function serve(veth: VethWorld, signal: AbortSignal): AsyncDisposable {
  const handler = (request: Request) =>
    new Response(request.url.endsWith("/clean") ? CLEAN : FORBIDDEN, {
      headers: { connection: "close" },
    });
  const options = { hostname: "0.0.0.0", port: HTTP_PORT, onListen() {}, signal };
  // The listener is made during the call.
  const server = veth.insideContainer(() => Deno.serve(options, handler));
  return { [Symbol.asyncDispose]: () => server.finished };
}

/** @returns the body, as far as it came within `ms`. */
async function get(veth: VethWorld, path: string, ms: number, stop: AbortSignal): Promise<string> {
  const signal = AbortSignal.any([AbortSignal.timeout(ms), stop]);
  let text = "";
  try {
    const there = { hostname: CONTAINER_IP, port: HTTP_PORT, signal };
    const connection = await veth.inside(() => Deno.connect(there));
    const hangUp = () => connection.close();
    signal.addEventListener("abort", hangUp);
    try {
      const ask = `GET ${path} HTTP/1.1\r\nHost: ${CONTAINER_IP}\r\n\r\n`;
      await connection.write(new TextEncoder().encode(ask));
      const buffer = new Uint8Array(65_536);
      for (let size; (size = await connection.read(buffer)) !== null;) {
        text += new TextDecoder("latin1").decode(buffer.subarray(0, size));
      }
    } finally {
      signal.removeEventListener("abort", hangUp);
      if (!signal.aborted) connection.close();
    }
  } catch (error) {
    if (!signal.aborted && !(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
  return text.slice(text.indexOf("\r\n\r\n") + 4);
}
