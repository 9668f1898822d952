/** An instance of a test's own with its link, ready to boot the real guest in. */
import { currentImage, type GuestImage } from "../../enclave/images.ts";
import { type Link, prepareLink } from "../../enclave/link.ts";
import { type Model, modelByName } from "../../enclave/models.ts";
import { endOrphan } from "../../enclave/orphan.ts";
import { type BootOptions, Enclave } from "../../enclave/supervisor.ts";
import { setUp } from "../../ffi/netdev.ts";
import { enterNetns, unshareNetns } from "../../ffi/netns.ts";
import { type Config, defaultConfig } from "../../src/base/config.ts";
import type { Instance } from "../../src/host/instance.ts";
import { testInstance } from "../kernel/net_support.ts";
import { testState } from "../tools/state.ts";

/** The thread is in the link namespace from `make` until this is disposed of. */
export class EnclaveWorld implements AsyncDisposable {
  readonly told: string[] = [];

  private constructor(
    readonly instance: Instance,
    readonly config: Config,
    readonly image: GuestImage,
    readonly model: Model,
    readonly link: Link,
    private readonly removeInstance: Disposable,
    private readonly goBack: Disposable,
  ) {}

  static async make(): Promise<EnclaveWorld> {
    const config = defaultConfig();
    const state = await testState();
    const image = await currentImage(state);
    const model = await modelByName(state, config.enclave.model);
    const goBack = unshareNetns();
    const test = testInstance();
    try {
      await Deno.mkdir(test.instance.run, { mode: 0o755 });
      const link = prepareLink(test.instance, config.link);
      enterNetns(test.instance.netns);
      setUp(test.instance.tap, true);
      return new EnclaveWorld(test.instance, config, image, model, link, test, goBack);
    } catch (error) {
      test[Symbol.dispose]();
      goBack[Symbol.dispose]();
      throw error;
    }
  }

  boot(options: Partial<BootOptions> = {}): Promise<Enclave> {
    const { instance, config, image, model, link, told } = this;
    const onAttempt = (attempt: number, text: string) => void told.push(`${attempt}: ${text}`);
    return Enclave.boot({ instance, config, image, model, tap: link.tap, onAttempt, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await endOrphan(this.instance);
    } finally {
      this.goBack[Symbol.dispose]();
      this.link[Symbol.dispose]();
      this.removeInstance[Symbol.dispose]();
      await Deno.remove(this.instance.run, { recursive: true });
    }
  }
}
