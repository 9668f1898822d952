/** `/metrics`: what the daemon has counted and what it is like now, for Prometheus. */
import { dropReasons } from "../bpf/reasons.ts";
import { exposition, type Family, type Histogram, type Sample } from "./exposition.ts";
import type { ExchangeTotals } from "./exchange_totals.ts";
import { PHASES, type Status } from "./status.ts";

/** Everything is since the process began, where it is not said otherwise. */
export interface MetricsSnapshot {
  /** As `/api/status` says it. */
  status: Status;
  exchanges: ExchangeTotals;
  /** The model's slots: how many run, how many wait for one, how many may wait. */
  slots: { running: number; waiting: number; maxQueue: number };
  /** The process's resident memory, in bytes. */
  residentBytes: number;
  /** null without a gate in the kernel. */
  gate: {
    /** Drops that no event was made of, because too many came in one second. */
    eventsSuppressed: number;
    /** Flows of dropped frames that got no entry in the log, because there were too many. */
    incidentsSuppressed: number;
    /** How often diode and link were looked at and found as they should be. */
    checks: number;
    /** Seconds since that was the last time; null before the first. */
    goodCheckAge: number | null;
    /** TCP connections of requests to the guest. */
    connections: { open: number; total: number };
  } | null;
  /** null without a virtual machine. */
  boots: { attempts: number; seconds: Histogram } | null;
}

const one = (value: number): Sample[] => [{ value }];

/** A sample for each key, with the key as a label. */
function by(label: string, values: Record<string, number>): Sample[] {
  return Object.entries(values).map(([key, value]) => ({ value, labels: { [label]: key } }));
}

/** @returns the document in the text exposition format. */
export function metricsText(snapshot: MetricsSnapshot): string {
  return exposition([
    ...daemonFamilies(snapshot),
    ...exchangeFamilies(snapshot),
    ...gateFamilies(snapshot),
    ...enclaveFamilies(snapshot),
  ]);
}

function daemonFamilies({ status, residentBytes }: MetricsSnapshot): Family[] {
  const { instance, version } = status;
  const phases = Object.fromEntries(
    PHASES.map((phase) => [phase, phase === status.phase ? 1 : 0]),
  );
  return [
    {
      name: "vei_build_info",
      help: "Always 1; the version and the instance as labels.",
      type: "gauge",
      samples: [{ value: 1, labels: { version, instance } }],
    },
    {
      name: "vei_daemon_phase",
      help: "1 for the phase that the daemon is in, 0 for the others.",
      type: "gauge",
      samples: by("phase", phases),
    },
    {
      name: "vei_config_generation",
      help: "Counts the configurations that held since the start; the first is 1.",
      type: "gauge",
      samples: one(status.reload.generation),
    },
    {
      name: "vei_reloads_total",
      help: "Reloads of the configuration, by how they ended.",
      type: "counter",
      samples: by("outcome", status.reload.outcomes),
    },
    {
      name: "process_resident_memory_bytes",
      help: "Resident memory of the daemon, without QEMU.",
      type: "gauge",
      samples: one(residentBytes),
    },
    {
      name: "process_start_time_seconds",
      help: "When the daemon was started, in seconds since 1970.",
      type: "gauge",
      samples: one(Date.parse(status.started) / 1000),
    },
  ];
}

function exchangeFamilies({ status, exchanges, slots }: MetricsSnapshot): Family[] {
  return [
    {
      name: "vei_exchanges_total",
      help: "Exchanges that have their receipt, by verdict.",
      type: "counter",
      samples: by("verdict", exchanges.verdicts),
    },
    {
      name: "vei_tokens_total",
      help: "Content tokens that the model sent.",
      type: "counter",
      samples: one(exchanges.tokens),
    },
    {
      name: "vei_released_bytes_total",
      help: "Bytes of content that the monitor released to users.",
      type: "counter",
      samples: one(exchanges.released),
    },
    {
      name: "vei_withheld_bytes_total",
      help: "Bytes of content that came from the model and were released to nobody.",
      type: "counter",
      samples: one(exchanges.withheld),
    },
    {
      name: "vei_receipts_total",
      help: "Receipts in the log since it was begun.",
      type: "counter",
      samples: status.receipts === null ? [] : one(status.receipts),
    },
    {
      name: "vei_exchanges_running",
      help: "Exchanges that hold a slot of the model now.",
      type: "gauge",
      samples: one(slots.running),
    },
    {
      name: "vei_queue_length",
      help: "Requests that wait for a slot of the model.",
      type: "gauge",
      samples: one(slots.waiting),
    },
    {
      name: "vei_queue_limit",
      help: "How many requests may wait; the next one is answered with 429.",
      type: "gauge",
      samples: one(slots.maxQueue),
    },
  ];
}

function gateFamilies({ status, gate }: MetricsSnapshot): Family[] {
  if (!status.diode || !gate) return [];
  const { name, linkId, programId, counters } = status.diode;
  const { pass, pass_empty, events_lost } = counters;
  const drops = Object.fromEntries(dropReasons().map((reason) => [reason, counters[reason]]));
  return [
    {
      name: "vei_diode_info",
      help: "Always 1; the diode on the link, with its ids in the kernel, as labels.",
      type: "gauge",
      samples: [{
        value: 1,
        labels: { diode: name, link: String(linkId), program: String(programId) },
      }],
    },
    {
      name: "vei_gate_passed_frames_total",
      help: "Frames that the diode let through, since it was put on the link.",
      type: "counter",
      samples: by("reason", { pass, pass_empty }),
    },
    {
      name: "vei_gate_dropped_frames_total",
      help: "Frames that the diode dropped, by reason, since it was put on the link.",
      type: "counter",
      samples: by("reason", drops),
    },
    {
      name: "vei_gate_events_lost_total",
      help: "Drops that were counted and that the full ring buffer told nobody of.",
      type: "counter",
      samples: one(events_lost),
    },
    {
      name: "vei_gate_events_suppressed_total",
      help: "Drops that no event was made of, because too many came in one second.",
      type: "counter",
      samples: one(gate.eventsSuppressed),
    },
    {
      name: "vei_gate_incidents_suppressed_total",
      help: "Flows of dropped frames without an entry in the log, because there were too many.",
      type: "counter",
      samples: one(gate.incidentsSuppressed),
    },
    {
      name: "vei_gate_checks_total",
      help: "How often diode and link were read back and found as they should be.",
      type: "counter",
      samples: one(gate.checks),
    },
    {
      name: "vei_gate_good_check_age_seconds",
      help: "Seconds since diode and link were last found as they should be.",
      type: "gauge",
      samples: gate.goodCheckAge === null ? [] : one(gate.goodCheckAge),
    },
    {
      name: "vei_guest_connections_open",
      help: "Connections to the guest that are open now.",
      type: "gauge",
      samples: one(gate.connections.open),
    },
    {
      name: "vei_guest_connections_total",
      help: "Connections to the guest that were made for requests.",
      type: "counter",
      samples: one(gate.connections.total),
    },
  ];
}

function enclaveFamilies({ status, boots }: MetricsSnapshot): Family[] {
  if (!status.enclave || !boots) return [];
  const { restarts, bootSeconds } = status.enclave;
  return [
    {
      name: "vei_enclave_restarts_total",
      help: "How often the virtual machine ended and was started anew.",
      type: "counter",
      samples: one(restarts),
    },
    {
      name: "vei_enclave_boot_attempts_total",
      help: "How often a virtual machine was started, those that did not become ready too.",
      type: "counter",
      samples: one(boots.attempts),
    },
    {
      name: "vei_enclave_boot_seconds",
      help: "From the start of a boot to a model server that answers, failed attempts included.",
      type: "histogram",
      samples: boots.seconds.samples(),
    },
    {
      name: "vei_enclave_last_boot_seconds",
      help: "The same of the last boot.",
      type: "gauge",
      samples: bootSeconds === null ? [] : one(bootSeconds),
    },
  ];
}
