/**
 * Debian packages through apt with a configuration of its own: the host's package lists, sources
 * and installed packages are neither read nor changed. Only the host's mirror and its apt.conf
 * (proxies) are taken over. apt checks the index's signature and every download's digest.
 */
import { Exit, messageOf, VeiError } from "../../src/base/errors.ts";
import { mustRun, run } from "../../src/host/run.ts";
import { sha256File } from "../digest.ts";
import { type Package, parseIndex } from "./packages.ts";

/** Debian's own keys; the first that is there is used. */
export const KEYRINGS = [
  "/usr/share/keyrings/debian-archive-keyring.gpg",
  "/usr/share/keyrings/debian-archive-keyring.pgp",
];
const TIMEOUT_MS = 300_000;
const ENV = { LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" };

export interface AptOptions {
  /** An empty folder for its lists and caches. */
  folder: string;
  suite: string;
  component: string;
  architecture: string;
  /** A Debian mirror; default: the one that the host uses. */
  mirror?: string;
}

export class Apt {
  readonly #options: string[];
  readonly #folder: string;

  private constructor(folder: string, options: string[]) {
    this.#folder = folder;
    this.#options = options;
  }

  /**
   * Fetches the release's package index.
   * @throws VeiError `packages-unavailable`: no mirror, no network, a bad signature.
   */
  static async open(options: AptOptions): Promise<Apt> {
    const { folder, suite, component, architecture } = options;
    const mirror = options.mirror ?? await hostMirror();
    const keyring = await firstExisting(KEYRINGS);
    for (const name of ["lists/partial", "cache/archives/partial", "debs"]) {
      await Deno.mkdir(`${folder}/${name}`, { recursive: true });
    }
    // `target=Packages`: of all that the release lists, only the index of binary packages.
    await Deno.writeTextFile(
      `${folder}/sources.list`,
      `deb [arch=${architecture} target=Packages signed-by=${keyring}] ` +
        `${mirror} ${suite} ${component}\n`,
    );
    const settings = {
      "Dir::Etc::sourcelist": `${folder}/sources.list`,
      "Dir::Etc::sourceparts": "/dev/null",
      "Dir::Etc::preferences": "/dev/null",
      "Dir::Etc::preferencesparts": "/dev/null",
      "Dir::State": folder,
      "Dir::State::Lists": `${folder}/lists`,
      "Dir::State::status": "/dev/null",
      "Dir::Cache": `${folder}/cache`,
      "APT::Architecture": architecture,
      "APT::Architectures": architecture,
      "APT::Default-Release": "",
      // The state folder is closed to apt's own user.
      "APT::Sandbox::User": "root",
      "Acquire::Languages": "none",
      "Acquire::Retries": "2",
      "Acquire::http::Timeout": "30",
      "Acquire::https::Timeout": "30",
      // Without this a failed fetch of the index is a warning, and apt ends with 0.
      "APT::Update::Error-Mode": "any",
    };
    const apt = new Apt(
      folder,
      Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]),
    );
    await apt.#mustRun("apt-get", ["-q", "update"], "Cannot get Debian's package index");
    return apt;
  }

  /** @returns what the index says of these packages; those that it does not have are left out. */
  async show(names: string[]): Promise<Package[]> {
    // Ends with 100 when one of the names is unknown, and shows the others.
    const result = await run(
      "apt-cache",
      [...this.#options, "show", "--no-all-versions", ...names],
      {
        env: ENV,
        timeoutMs: TIMEOUT_MS,
      },
    );
    return parseIndex(new TextDecoder().decode(result.stdout));
  }

  /**
   * Downloads packages and checks each once more against the index.
   * @returns their files' paths, in the order of `packages`.
   * @throws VeiError `packages-unavailable`.
   */
  async download(packages: Package[]): Promise<string[]> {
    const folder = `${this.#folder}/debs`;
    await this.#mustRun(
      "apt-get",
      ["-q", "download", ...packages.map(({ name, version }) => `${name}=${version}`)],
      "Cannot download the guest's packages",
      folder,
    );
    const files = [...Deno.readDirSync(folder)].map((entry) => entry.name);
    const paths: string[] = [];
    for (const { name, sha256 } of packages) {
      const file = files.find((one) => one.startsWith(`${name}_`));
      const path = `${folder}/${file}`;
      if (file === undefined || await sha256File(path) !== sha256) {
        throw unavailable(`The file of package ${name} is not the one that the index names`);
      }
      paths.push(path);
    }
    return paths;
  }

  async #mustRun(program: string, args: string[], what: string, cwd?: string): Promise<void> {
    try {
      await mustRun(program, [...this.#options, ...args], { cwd, env: ENV, timeoutMs: TIMEOUT_MS });
    } catch (cause) {
      throw unavailable(`${what}: ${messageOf(cause)}`, cause);
    }
  }
}

function unavailable(message: string, cause?: unknown): VeiError {
  return new VeiError({
    code: "packages-unavailable",
    message,
    hint: "check the network and /etc/apt, then run `vei setup` again; what was there is unchanged",
    exit: Exit.unavailable,
    cause,
  });
}

/** @returns the address of the Debian archive that this host's own apt uses. */
async function hostMirror(): Promise<string> {
  const format = "$(SITE)\t$(LABEL)";
  const text = await mustRun(
    "apt-get",
    ["indextargets", "--format", format, "Created-By: Packages"],
    { env: ENV, timeoutMs: TIMEOUT_MS },
  );
  const targets = text.split("\n").map((line) => line.split("\t")).filter(([site]) => site);
  // Labels are known only after a first `apt-get update` on the host.
  const chosen = targets.find(([, label]) => label === "Debian") ??
    targets.find(([site]) => !site.includes("security"));
  if (chosen === undefined) {
    throw new VeiError({
      code: "mirror-unknown",
      message: "This host's apt names no Debian archive",
      hint: "name one: `vei setup --mirror URL`",
      exit: Exit.config,
    });
  }
  return chosen[0];
}

async function firstExisting(paths: string[]): Promise<string> {
  for (const path of paths) {
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  throw new VeiError({
    code: "keyring-missing",
    message: `There is no ${paths[0]}: Debian's packages cannot be verified`,
    hint: "apt-get install debian-archive-keyring",
    exit: Exit.unavailable,
  });
}
