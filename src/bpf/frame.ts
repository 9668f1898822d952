/** A frame as the guest sends it, to try a diode with. */
import { parseIpv4, parseMac } from "../base/ipv4.ts";
import type { LinkRules } from "./layout.ts";
import { FRAME } from "./program_parts.ts";

/** The longest frame on an Ethernet link without offloads: 1500 bytes and the header. */
export const ETHERNET_FRAME = 1514;

/** Its longest payload, behind headers without options. */
export const MOST_PAYLOAD = ETHERNET_FRAME - FRAME.payload;

const PSH_ACK = 0x18;

/**
 * @returns Ethernet, IPv4 and TCP headers that these rules let through, and the payload behind them.
 * Checksums are zero: no rule looks at them.
 */
export function guestFrame(rules: LinkRules, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(FRAME.payload + payload.length);
  const view = new DataView(frame.buffer);
  frame.set(parseMac(rules.hostMac), 0);
  frame.set(parseMac(rules.guestMac), 6);
  view.setUint16(FRAME.ethertype, 0x0800);
  frame[FRAME.ip] = 0x45;
  view.setUint16(FRAME.totalLength, frame.length - FRAME.ip);
  frame[FRAME.protocol] = 6;
  frame.set(parseIpv4(rules.guestIp), FRAME.source);
  frame.set(parseIpv4(rules.hostIp), FRAME.destination);
  view.setUint16(FRAME.tcp, rules.guestPort);
  view.setUint16(FRAME.destinationPort, 40_000);
  frame[FRAME.dataOffset] = 5 << 4;
  frame[FRAME.flags] = PSH_ACK;
  frame.set(payload, FRAME.payload);
  return frame;
}
