/** What `/api/status` and `vei status` show. What is not known is null, never a guess. */
import type { GateEvent } from "./hub.ts";

/** `gate-lost`: the diode was not exactly as raised; everything behind it has been stopped. */
export const PHASES = [
  "starting",
  "booting",
  "ready",
  "restarting",
  "gate-lost",
  "stopping",
] as const;
export type Phase = typeof PHASES[number];

export interface Status {
  instance: string;
  version: string;
  phase: Phase;
  pid: number;
  /** UTC, RFC 3339. */
  started: string;
  listen: string;
  diode: {
    name: string;
    adopted: boolean;
    linkId: number;
    programId: number;
    /** SHA-256 of the predicate's file, the table, the configuration and the bytecode. */
    digests: Record<string, string>;
    /** Packets since the maps were made, by reason; `pass` among them. */
    counters: Record<string, number>;
  } | null;
  enclave: {
    model: string;
    modelDigest: string;
    image: string;
    /** null while none runs. */
    accel: "kvm" | "tcg" | null;
    accelReason: string;
    pid: number | null;
    attempt: number;
    /** Seconds from start to ready of the last boot; null until then. */
    bootSeconds: number | null;
    restarts: number;
  } | null;
  policy: { name: string; version: string; sha256: string } | null;
  /** How many receipts there are. */
  receipts: number | null;
  events: GateEvent[];
}
