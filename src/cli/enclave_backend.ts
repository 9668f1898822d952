/** What answers requests once the enclave is ready: the model in it, behind the gate. */
import type { Backend } from "../api/chat.ts";
import { parseDuration } from "../base/bytes.ts";
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
  /** `version`: what `qemu-system-x86_64 --version` says, its first line. */
  qemu: { version: string; argumentsSha256: string };
  diode: RaisedDiode;
  flows: FlowWatches;
  connections: GuestConnections;
}

/** @returns the model in the enclave, and what its receipts say of the gate. */
export function behindTheGate(parts: BackendParts): Backend {
  const { config, image, model, diode, qemu, flows, connections } = parts;
  return {
    model: enclaveModel({
      name: model.name,
      sha256: model.digest,
      host: `${config.link.guest}:${GUEST_PORT}`,
      idleMs: parseDuration(config.api.idle_timeout),
      connect: () => connections.connect(),
    }),
    kernel: kernelGate({ diode, image, qemu, flows }),
  };
}
