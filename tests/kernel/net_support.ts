/** What the tests of namespaces and taps share: names, boxes, other users, frames. */
import { parseIpv4, parseMac } from "../../src/base/ipv4.ts";
import { removeLink } from "../../enclave/link.ts";
import { deleteInterface, interfaceIndex } from "../../ffi/netdev.ts";
import { netnsExists, withNetns } from "../../ffi/netns.ts";
import { allLinks } from "../../ffi/rtnetlink.ts";
import { type Instance, instanceOf } from "../../src/host/instance.ts";
import { run, type RunOptions, type RunResult } from "../../src/host/run.ts";
import { netlinkRequest, NLM, withAttributes } from "../../ffi/netlink.ts";

/** @returns the name of an instance that nobody else has. */
export function randomName(): string {
  const letters = crypto.getRandomValues(new Uint8Array(7));
  return "t" + Array.from(letters, (byte) => String.fromCharCode(97 + byte % 26)).join("");
}

/** An instance whose namespace is removed at the end, whatever is in it. */
export function testInstance(): { instance: Instance } & Disposable {
  const instance = instanceOf(randomName());
  return {
    instance,
    [Symbol.dispose]() {
      if (netnsExists(instance.netns)) {
        withNetns(instance.netns, () => {
          for (const { name, index } of allLinks()) if (index !== 1) deleteInterface(name);
        });
      }
      removeLink(instance);
    },
  };
}

const ROOT = new URL("../../", import.meta.url).pathname;

/**
 * Runs a fixture of this folder in a process of its own, from the calling thread's namespace.
 * @param wrapper a program and arguments put before Deno's own.
 */
export function runFixture(
  name: string,
  args: string[],
  { wrapper = [], ...options }: RunOptions & { wrapper?: string[] } = {},
): Promise<RunResult> {
  const script = `${ROOT}tests/kernel/fixtures/${name}.ts`;
  const flags = ["run", "-A", "--quiet", "--no-lock", "--no-check"];
  const [program, ...rest] = [...wrapper, Deno.execPath(), ...flags, script, ...args];
  return run(program!, rest, { timeoutMs: 60_000, ...options });
}

/** Wrapper: another user without capabilities, but able to read Deno and this checkout. */
export const AS_NOBODY = [
  ...["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"],
  ...["--inh-caps", "-all,+dac_read_search", "--ambient-caps", "-all,+dac_read_search"],
];

/** @returns the one line of JSON that a fixture prints. */
export function jsonOf<T>(result: RunResult): T {
  const text = new TextDecoder().decode(result.stdout).trim();
  if (text === "") throw new Error(`nothing printed; code ${result.code}: ${result.stderr}`);
  return JSON.parse(text.split("\n").at(-1)!) as T;
}

const encoder = new TextEncoder();

/** Makes an interface by its kind, e.g. `bridge`. */
export function addInterface(name: string, kind: string): void {
  const info = withAttributes(new Uint8Array(), [[1, encoder.encode(kind + "\0")]]);
  const body = withAttributes(new Uint8Array(16), [[3, encoder.encode(name + "\0")], [18, info]]);
  netlinkRequest(16, NLM.create | NLM.exclusive, body, `Cannot make ${name}`);
}

/** Makes an interface a port of another one, e.g. of a bridge (IFLA_MASTER). */
export function setMaster(name: string, master: string): void {
  const [header, value] = [new Uint8Array(16), new Uint8Array(4)];
  new DataView(header.buffer).setInt32(4, interfaceIndex(name), true);
  new DataView(value.buffer).setInt32(0, interfaceIndex(master), true);
  netlinkRequest(16, 0, withAttributes(header, [[10, value]]), `Cannot put ${name} into ${master}`);
}

/** Adds an address with a subnet, as an administrator would for a network of the box. */
export function addSubnet(index: number, ip: string, prefix: number): void {
  const header = new Uint8Array([2, prefix, 0, 0, index, 0, 0, 0]);
  const body = withAttributes(header, [[2, parseIpv4(ip)], [1, parseIpv4(ip)]]);
  netlinkRequest(20, NLM.create | NLM.exclusive, body, `Cannot add ${ip}`);
}

/** RFC 1071. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export interface Segment {
  toMac: string;
  fromMac: string;
  from: string;
  to: string;
  fromPort: number;
  toPort: number;
  flags: number;
  sequence?: number;
  acknowledge?: number;
  payload?: Uint8Array;
}

/** @returns an Ethernet frame around an IPv4 packet. @param protocol e.g. 1 ICMP, 6 TCP. */
export function ipFrame(
  at: Pick<Segment, "toMac" | "fromMac" | "from" | "to">,
  protocol: number,
  body: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(34 + body.length);
  const view = new DataView(frame.buffer);
  frame.set(parseMac(at.toMac), 0);
  frame.set(parseMac(at.fromMac), 6);
  view.setUint16(12, 0x0800);
  frame.set([0x45, 0], 14);
  view.setUint16(16, 20 + body.length);
  view.setUint16(20, 0x4000);
  frame.set([64, protocol], 22);
  frame.set(parseIpv4(at.from), 26);
  frame.set(parseIpv4(at.to), 30);
  view.setUint16(24, checksum(frame.subarray(14, 34)));
  frame.set(body, 34);
  return frame;
}

/** @returns a TCP segment without options, in its frame, with right checksums (RFC 9293). */
export function tcpFrame(segment: Segment): Uint8Array<ArrayBuffer> {
  const payload = segment.payload ?? new Uint8Array();
  const body = new Uint8Array(20 + payload.length);
  const view = new DataView(body.buffer);
  view.setUint16(0, segment.fromPort);
  view.setUint16(2, segment.toPort);
  view.setUint32(4, segment.sequence ?? 1000);
  view.setUint32(8, segment.acknowledge ?? 0);
  body.set([0x50, segment.flags], 12);
  view.setUint16(14, 65000);
  body.set(payload, 20);
  const pseudo = new Uint8Array(12 + body.length);
  pseudo.set(parseIpv4(segment.from), 0);
  pseudo.set(parseIpv4(segment.to), 4);
  new DataView(pseudo.buffer).setUint32(8, (6 << 16) | body.length);
  pseudo.set(body, 12);
  view.setUint16(16, checksum(pseudo));
  return ipFrame(segment, 6, body);
}

/** @returns a UDP datagram without checksum, in its frame. */
export function udpFrame(segment: Omit<Segment, "flags">): Uint8Array<ArrayBuffer> {
  const payload = segment.payload ?? new Uint8Array();
  const body = new Uint8Array(8 + payload.length);
  const view = new DataView(body.buffer);
  view.setUint16(0, segment.fromPort);
  view.setUint16(2, segment.toPort);
  view.setUint16(4, body.length);
  body.set(payload, 8);
  return ipFrame(segment, 17, body);
}
