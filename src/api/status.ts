/** What `/api/status` and `vei status` show. What is not known is null, never a guess. */
import type { Reload } from "../receipt/statement.ts";
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

/** How one reload of the configuration ended. */
export interface Reloaded {
  /** Counts from 1. */
  number: number;
  /** UTC, RFC 3339. */
  time: string;
  /** The configuration that holds after it. */
  generation: number;
  outcome: "applied" | "unchanged" | "refused";
  /** What is another now; null where nothing is. */
  change: Omit<Reload, "generation"> | null;
  /** The entry in the log, of one that was applied. */
  receipt: string | null;
  /** Why it was refused; or, of one that was applied, why its entry could not be ended. */
  error: { code: string; message: string; hint: string; exit: number } | null;
}

/** The configuration that holds, and the reloads since the start. */
export interface ReloadStatus {
  /** Path of the configuration file. */
  config: string;
  /** SHA-256 of that file as it was read; null where there was none and the defaults hold. */
  sha256: string | null;
  /** Counts the configurations that held; the one of the start is 1. */
  generation: number;
  /** Numbers of the last reload that began, and of the last that ended; 0 before the first. */
  started: number;
  finished: number;
  outcomes: Record<Reloaded["outcome"], number>;
  /** How the last ones ended, oldest first. */
  results: Reloaded[];
}

interface PolicyStatus {
  name: string;
  version: string;
  sha256: string;
}

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
    /**
     * SHA-256 of the predicate's file, the table, the configuration, the bytecode, and of the two
     * certificates by which they were proved.
     */
    digests: Record<string, string>;
    /** Of one made from a policy: the rules that it enforces, and those that the monitor alone does. */
    rules: { held: string[]; left: string[] } | null;
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
  policy: PolicyStatus & { allowed: PolicyStatus[] } | null;
  reload: ReloadStatus;
  /** How many receipts there are. */
  receipts: number | null;
  events: GateEvent[];
}
