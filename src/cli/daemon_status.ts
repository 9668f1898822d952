/** What the daemon says of itself: `/api/status` and `vei status` show it. */
import type { EventHub } from "../api/hub.ts";
import { policyStatus } from "../api/policy.ts";
import type { Status } from "../api/status.ts";
import type { DiodePlan } from "../../diodes/plan.ts";
import type { GuestImage } from "../../enclave/images.ts";
import type { Model } from "../../enclave/models.ts";
import type { Enclave } from "../../enclave/supervisor.ts";
import type { Instance } from "../host/instance.ts";
import type { OpenNode } from "./node.ts";
import type { RaisedDiode } from "./raised_diode.ts";
import { VERSION } from "./version.ts";

const KEPT_EVENTS = 64;

export interface StatusParts extends Pick<Status, "phase" | "started" | "listen" | "reload"> {
  instance: Instance;
  node: OpenNode;
  hub: EventHub;
  image: GuestImage;
  model: Model;
  /** null until it is on the link. */
  diode: RaisedDiode | null;
  /** null while none runs. */
  enclave: Enclave | null;
  attempt: number;
  bootSeconds: number | null;
  restarts: number;
}

function rulesOf({ share }: DiodePlan): NonNullable<Status["diode"]>["rules"] {
  const ids = (rules: readonly { id: string }[]) => rules.map(({ id }) => id);
  return share && { held: ids(share.held), left: ids(share.left) };
}

/** @returns the status, made anew. */
export function daemonStatus(parts: StatusParts): Status {
  const { instance, node, diode, image, model, enclave } = parts;
  return {
    instance: instance.name,
    version: VERSION,
    phase: parts.phase,
    pid: Deno.pid,
    started: parts.started,
    listen: parts.listen,
    diode: diode && {
      name: diode.plan.name,
      adopted: diode.guard.adopted,
      linkId: diode.guard.ids.link,
      programId: diode.guard.ids.program,
      digests: {
        ...diode.plan.digests,
        program_proof: diode.plan.proof.certificates.program,
        table_proof: diode.plan.proof.certificates.table,
      },
      rules: rulesOf(diode.plan),
      counters: diode.counters(),
    },
    enclave: diode && {
      model: model.name,
      modelDigest: model.digest,
      image: image.digest,
      accel: enclave?.accel ?? null,
      accelReason: enclave?.accelReason ?? "",
      pid: enclave?.pid ?? null,
      attempt: parts.attempt,
      bootSeconds: parts.bootSeconds,
      restarts: parts.restarts,
    },
    policy: policyStatus(node),
    reload: parts.reload,
    receipts: node.store.count,
    events: parts.hub.latest(KEPT_EVENTS),
  };
}
