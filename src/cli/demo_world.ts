/**
 * Where the demonstration runs: an instance of its own in a network namespace of its own, and
 * nothing of it left afterwards.
 */
import { Exit, VeiError } from "../base/errors.ts";
import { detachDiode } from "../../diodes/manager.ts";
import { currentImage } from "../../enclave/images.ts";
import { assertLocalAddress, GUEST_PORT, removeLink } from "../../enclave/link.ts";
import { modelByName } from "../../enclave/models.ts";
import { endOrphan } from "../../enclave/orphan.ts";
import { isBpffsMounted, unmountBpffs } from "../../ffi/bpffs.ts";
import { unshareNetns, withNetns } from "../../ffi/netns.ts";
import { type Instance, instanceOf } from "../host/instance.ts";
import { run, type RunResult, start } from "../host/run.ts";
import { selfCommand } from "../host/self.ts";
import { defaultConfig } from "../base/config.ts";
import type { Status } from "../api/status.ts";
import { fetchStatus, findEndpoint } from "./endpoint.ts";
import { ignoreMissing } from "../host/missing.ts";

/** The daemon as a child of ours. */
export interface DaemonProcess {
  pid: number;
  kill(signal: Deno.Signal): void;
  ended: Promise<Deno.CommandStatus>;
}

const END_MS = 15_000;
/** The gate that the demonstration is about: it stops one word. */
const CONFIG = '[policy]\ndefault = "hateless"\n[diode]\nname = "hateless"\n';

export class DemoWorld implements AsyncDisposable {
  readonly guest = defaultConfig().link.guest;
  readonly host = `${defaultConfig().link.guest}:${GUEST_PORT}`;
  private daemon: DaemonProcess | null = null;
  private readonly pipes: Promise<void>[] = [];

  private constructor(
    readonly instance: Instance,
    readonly folder: string,
    private readonly keep: boolean,
    private readonly bpffsWasMounted: boolean,
  ) {}

  /**
   * Enters a fresh network namespace and makes a state folder that borrows image and model.
   * @param owner the instance whose image and model are used.
   * @param keep folder to keep the files in; default: a temporary one, removed at the end.
   * @throws VeiError `not-root`, `image-missing`, `model-missing`…
   */
  static async make(owner: Instance, keep: string | undefined): Promise<DemoWorld> {
    if (Deno.uid() !== 0) {
      throw new VeiError({
        code: "not-root",
        message: "The demonstration needs root: it opens a tap and loads a program into the kernel",
        hint: "run it with sudo; it works in a network namespace of its own and removes it",
        exit: Exit.noPermission,
      });
    }
    await currentImage(owner.state);
    await modelByName(owner.state, defaultConfig().enclave.model);
    const folder = keep ?? await Deno.makeTempDir({ prefix: "vei-demo-" });
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    for (const part of ["images", "models"]) {
      await Deno.symlink(`${owner.state}/${part}`, `${folder}/${part}`);
    }
    await Deno.writeTextFile(`${folder}/vei.toml`, CONFIG, { mode: 0o600 });
    const name = `demo${crypto.randomUUID().slice(0, 6)}`;
    const world = new DemoWorld(
      instanceOf(name, { state: folder }),
      folder,
      keep !== undefined,
      isBpffsMounted(),
    );
    unshareNetns();
    return world;
  }

  /** Starts `vei serve`; its log goes to `serve.log`. */
  startDaemon(): DaemonProcess {
    const self = selfCommand([
      ...["serve", "--config", `${this.folder}/vei.toml`],
      ...this.arguments(),
    ]);
    const child = start(self.program, self.args, { stderr: "piped" });
    this.pipes.push(appendTo(`${this.folder}/serve.log`, child.stderr));
    this.daemon = { pid: child.pid, kill: (signal) => child.kill(signal), ended: child.status };
    return this.daemon;
  }

  /** Runs another `vei` command on this instance. */
  vei(...args: string[]): Promise<RunResult> {
    const self = selfCommand([...args, ...this.arguments()]);
    return run(self.program, self.args, { timeoutMs: 30_000 });
  }

  /** `vei ask` at another server, with a state folder of its own: the daemon holds the other. */
  async askElsewhere(url: string): Promise<string> {
    const self = selfCommand([
      ...["ask", "--json", "--model", url, "--policy", "hateless", "Say it"],
      ...["--instance", this.instance.name],
      ...["--state", `${this.folder}/elsewhere`],
    ]);
    return new TextDecoder().decode(
      (await run(self.program, self.args, { timeoutMs: 30_000 })).stdout,
    );
  }

  private arguments(): string[] {
    return ["--instance", this.instance.name, "--state", this.folder];
  }

  /** @returns the daemon's status, or null while it does not answer. */
  async status(): Promise<Status | null> {
    const endpoint = await findEndpoint(this.instance);
    return endpoint === null ? null : await fetchStatus(endpoint).catch(() => null);
  }

  /** Connects to the model server from inside the link namespace. */
  async connect(): Promise<Deno.TcpConn> {
    // The socket is made in the namespace of this thread at the moment of the call.
    const connection = await withNetns(
      this.instance.netns,
      () => Deno.connect({ hostname: this.guest, port: GUEST_PORT }),
    );
    assertLocalAddress(connection, defaultConfig().link.host);
    return connection;
  }

  /** Ends everything and removes it; what cannot be removed is an error at the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    const attempt = async (action: () => unknown) => {
      try {
        await action();
      } catch (cause) {
        failures.push(cause);
      }
    };
    await attempt(() => this.endDaemon());
    await attempt(() => endOrphan(this.instance));
    await attempt(() => detachDiode(this.instance.pins));
    await attempt(() => removeLink(this.instance));
    await attempt(() => Deno.remove(this.instance.run, { recursive: true }).catch(ignoreMissing));
    await Promise.all(this.pipes);
    if (!this.bpffsWasMounted) await attempt(() => unmountBpffs());
    if (!this.keep) await attempt(() => Deno.remove(this.folder, { recursive: true }));
    if (failures.length > 0) throw failures[0];
  }

  private async endDaemon(): Promise<void> {
    if (!this.daemon) return;
    const { daemon } = this;
    const signal = (name: Deno.Signal) => {
      try {
        daemon.kill(name);
      } catch {
        // It has ended already.
      }
    };
    signal("SIGTERM");
    const timer = setTimeout(() => signal("SIGKILL"), END_MS);
    await daemon.ended;
    clearTimeout(timer);
  }
}

async function appendTo(path: string, stream: ReadableStream<Uint8Array>): Promise<void> {
  using file = await Deno.open(path, { create: true, append: true, mode: 0o600 });
  for await (const piece of stream) await file.write(piece);
}
