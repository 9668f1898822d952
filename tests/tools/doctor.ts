/** `vei doctor` in a place of a test's own, where things can be taken away from it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { sha256File } from "../../enclave/digest.ts";
import { installModel } from "../../enclave/models.ts";
import type { Diagnosis } from "../../src/cli/doctor.ts";
import { type Instance, instanceOf } from "../../src/host/instance.ts";
import { leftOvers } from "./left_overs.ts";
import { testState } from "./state.ts";
import { tinyGguf } from "./tiny_gguf.ts";
import { freshName, type Ran, vei, type VeiOptions } from "./vei.ts";

export interface Finding {
  code: number;
  diagnosis: Diagnosis;
  stderr: string;
}

/** Wrapper: a mount namespace that `script` has changed; nothing of it reaches the machine's own. */
export const apart = (script: string) => [
  ...["unshare", "--mount", "--propagation", "private", "sh", "-c"],
  ...[`${script} && exec "$@"`, "sh"],
];

/** An instance nobody else has, with an image and a small model; the doctor's own /tmp. */
export class Practice implements AsyncDisposable {
  private constructor(
    readonly folder: string,
    readonly instance: Instance,
    /** A port that nobody has. */
    readonly port: number,
  ) {}

  static async open({ equipped = true } = {}): Promise<Practice> {
    const folder = await Deno.makeTempDir({ prefix: "vei-practice-" });
    const instance = instanceOf(freshName(), { state: `${folder}/state` });
    await Deno.mkdir(instance.state);
    await Deno.mkdir(`${folder}/tmp`);
    await Deno.chmod(`${folder}/tmp`, 0o777);
    if (equipped) {
      await Deno.symlink(`${await testState()}/images`, `${instance.state}/images`);
      await addTiny(instance.state);
    }
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const practice = new Practice(folder, instance, (listener.addr as Deno.NetAddr).port);
    practice.configure("");
    return practice;
  }

  get state(): string {
    return this.instance.state;
  }
  get config(): string {
    return `${this.folder}/vei.toml`;
  }

  /**
   * Writes the configuration: the port, a policy that is compiled at once unless another is named,
   * and what is given.
   * @param api more keys of [api].
   */
  configure(text: string, api = ""): void {
    const own = `[api]\nlisten = "127.0.0.1:${this.port}"\n${api}\n`;
    const policy = /^\[policy\]/m.test(text) ? "" : '[policy]\ndefault = "hateless"\n';
    Deno.writeTextFileSync(this.config, own + policy + text);
  }

  /** Runs `vei doctor` as a person would. */
  run(args: string[], { env, ...options }: VeiOptions = {}): Promise<Ran> {
    const { instance: { name, state }, config } = this;
    const common = ["--instance", name, "--state", state, "--config", config];
    return vei(["doctor", ...common, ...args], {
      env: { TMPDIR: `${this.folder}/tmp`, ...env },
      timeoutMs: 120_000,
      ...options,
    });
  }

  /** Runs it with --json; what it made for its trials has to be gone again. */
  async examine(args: string[] = [], options: VeiOptions = {}): Promise<Finding> {
    const before = listing(this.state);
    const { code, stdout, stderr } = await this.run(["--json", ...args], options);
    assertEquals([stderr, listing(`${this.folder}/tmp`)], ["", []]);
    assertEquals(listing(this.state), before);
    const diagnosis: Diagnosis = JSON.parse(stdout);
    assertEquals([diagnosis.exit, diagnosis.ok], [code, code === 0]);
    return { code, diagnosis, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
    assertEquals(await leftOvers(this.instance), []);
  }
}

const listing = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

async function addTiny(state: string): Promise<void> {
  const file = `${state}/new.gguf`;
  const bytes = tinyGguf({});
  await Deno.writeFile(file, bytes);
  await installModel(state, {
    ...{ name: "tiny", source: "a test", licence: "none" },
    ...{ file, digest: await sha256File(file), size: bytes.length },
  });
}

/** What a need says: result, what was found and how it is mended. */
type Wanted = [result: "yes" | "no" | "unknown", found: RegExp, mend: RegExp];

/** Each of these needs says this, and each lacking one has one line that mends it. */
export function assertSays({ diagnosis }: Finding, wanted: Record<string, Wanted>): void {
  for (const [id, [result, found, mend]] of Object.entries(wanted)) {
    const need = diagnosis.needs.find((one) => one.id === id);
    if (!need) throw new Error(`there is no need ${id}`);
    assertEquals([id, need.result], [id, result], `${need.found}; ${need.mend}`);
    assertMatch(need.found, found, id);
    assertMatch(need.mend, mend, id);
    assert(!`${need.mend}${need.found}`.includes("\n"), id);
  }
}

/** Nothing else that is needed is lacking. */
export function assertOnly({ diagnosis }: Finding, ...ids: string[]): void {
  const lacking = diagnosis.needs.filter((need) => need.needed && need.result !== "yes");
  assertEquals(
    lacking.map(({ id }) => id).sort(),
    ids.toSorted(),
    lacking.map(({ id, found }) => `${id}: ${found}`).join("\n"),
  );
}
