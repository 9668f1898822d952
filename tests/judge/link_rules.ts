/**
 * The link rules, read straight from the design and the RFCs over a raw frame: what the kernel
 * program is held against. Imports nothing, so it shares no mistake with what it judges.
 */

/** Addresses as bytes; the rest as in the design page. */
export interface JudgeLink {
  hostMac: number[];
  guestMac: number[];
  hostIp: number[];
  guestIp: number[];
  guestPort: number;
  maxFrame: number;
  anyMac?: boolean;
  anySourcePort?: boolean;
  anyOptions?: boolean;
  dropEmpty?: boolean;
}

/** A rule that was broken, or the payload, to be judged next. */
export type LinkVerdict = { drop: string } | { payload: Uint8Array };

const ALLOWED_FLAGS = ["SA", "A", "PA", "FA", "FPA", "R", "RA"];

export function judgeLink(frame: Uint8Array, link: JudgeLink): LinkVerdict {
  const u8 = (at: number) => frame[at];
  const u16 = (at: number) => frame[at] * 256 + frame[at + 1];
  const same = (at: number, bytes: number[]) => bytes.every((byte, i) => frame[at + i] === byte);

  if (frame.length > link.maxFrame) return { drop: "oversize" };
  if (frame.length < 14 + 20 + 20) return { drop: "short" };
  if (14 + u16(16) !== frame.length) return { drop: "length" };
  if (!link.anyMac && !(same(0, link.hostMac) && same(6, link.guestMac))) return { drop: "mac" };
  if (u16(12) !== 0x0800) return { drop: "ethertype" };
  if (u8(14) >> 4 !== 4 || u8(14) % 16 !== 5) return { drop: "ip_header" };
  const [reserved, , moreFragments] = [...(u16(20) >> 13).toString(2).padStart(3, "0")];
  if (reserved === "1" || moreFragments === "1" || u16(20) % 8192 !== 0) {
    return { drop: "fragment" };
  }
  if (u8(23) !== 6) return { drop: "protocol" };
  if (!same(26, link.guestIp) || !same(30, link.hostIp)) return { drop: "address" };
  if (!link.anySourcePort && u16(34) !== link.guestPort) return { drop: "port" };
  if (u16(36) < 1024) return { drop: "port" };

  const flags = [..."FSRPAUEC"].filter((_, bit) => (u8(47) >> bit) % 2 === 1).join("");
  if (!ALLOWED_FLAGS.includes(flags)) return { drop: "flags" };
  if (u8(46) % 16 !== 0) return { drop: "reserved" };
  const headerEnd = 34 + 4 * (u8(46) >> 4);
  if (link.anyOptions) {
    if (headerEnd < 54 || headerEnd > frame.length) return { drop: "options" };
  } else if (flags === "SA") {
    const expected = [2, 4, null, null, 1, 3, 3, null]; // MSS, NOP, window scale
    const exact = expected.every((byte, i) => byte === null || byte === frame[54 + i]);
    if (headerEnd !== 62 || frame.length < 62 || !exact) return { drop: "options" };
  } else if (headerEnd !== 54) return { drop: "options" };

  const payload = frame.slice(headerEnd);
  if (flags === "SA" && payload.length > 0) return { drop: "syn_payload" };
  if (payload.length === 0 && link.dropEmpty) return { drop: "empty" };
  return { payload };
}
