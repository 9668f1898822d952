/** What answers requests once the enclave is ready: the model in it, behind the gate. */
import type { Backend } from "../api/chat.ts";
import { parseDuration, sha256 } from "../base/bytes.ts";
import { canonicalJson } from "../base/canonical.ts";
import type { Config } from "../base/config.ts";
import { type Connection, enclaveModel } from "../model/enclave.ts";
import type { GuestImage } from "../../enclave/images.ts";
import { assertLocalAddress, GUEST_PORT } from "../../enclave/link.ts";
import type { Model } from "../../enclave/models.ts";
import { type FlowWatches, kernelGate } from "./kernel_gate.ts";
import type { RaisedDiode } from "./raised_diode.ts";

/** Connections to the guest. They end with the enclave, which when killed cannot close them. */
export class GuestConnections {
  private readonly open = new Set<Connection>();
  private made = 0;

  constructor(private readonly link: Config["link"]) {}

  /** A new connection from inside the link. @throws VeiError `link-wrong-address`. */
  async connect(): Promise<Connection> {
    const tcp = await Deno.connect({ hostname: this.link.guest, port: GUEST_PORT });
    assertLocalAddress(tcp, this.link.host);
    const connection: Connection = {
      localAddr: tcp.localAddr,
      read: (into) => tcp.read(into),
      write: (bytes) => tcp.write(bytes),
      close: () => {
        if (this.open.delete(connection)) tcp.close();
      },
    };
    this.open.add(connection);
    this.made++;
    return connection;
  }

  /** How many are open, and how many there have been. */
  get counts(): { open: number; total: number } {
    return { open: this.open.size, total: this.made };
  }

  closeAll(): void {
    for (const connection of this.open) connection.close();
  }
}

export interface BackendParts {
  config: Config;
  image: GuestImage;
  model: Model;
  /** What `qemu-system-x86_64 --version` says, its first line. */
  qemuVersion: string;
  diode: RaisedDiode;
  flows: FlowWatches;
  connections: GuestConnections;
  qemuCommand: readonly string[];
}

/** @returns the model in the enclave, and what its receipts say of the gate. */
export async function behindTheGate(parts: BackendParts): Promise<Backend> {
  const { config, image, model, diode, flows, connections } = parts;
  const words = new TextEncoder().encode(canonicalJson(parts.qemuCommand));
  return {
    model: enclaveModel({
      name: model.name,
      sha256: model.digest,
      host: `${config.link.guest}:${GUEST_PORT}`,
      idleMs: parseDuration(config.api.idle_timeout),
      connect: () => connections.connect(),
    }),
    kernel: kernelGate({
      plan: diode.plan,
      image,
      ids: diode.guard.ids,
      qemu: { version: parts.qemuVersion, argumentsSha256: await sha256(words) },
      flows,
      counters: () => diode.counters(),
    }),
  };
}
