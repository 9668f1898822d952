/**
 * The checkers of proofs by the makers of the format (Wetzler, Heule, Hunt: DRAT-trim, SAT 2014).
 * Only Debian 13 has them: their package is unpacked into the cache, and installed nowhere.
 */
import { mustRun } from "../../src/host/run.ts";
import { Apt } from "../../enclave/image/apt.ts";
import { type Clauses, runOn } from "./solvers.ts";
import { dimacsOf } from "../../src/proof/dimacs.ts";

const CACHE = new URL("../../.cache/", import.meta.url).pathname;
const FOLDER = `${CACHE}drat-trim`;

/** @throws VeiError those of `Apt`. */
async function programs(): Promise<string> {
  if (!await Deno.stat(FOLDER).then(() => true, () => false)) {
    const work = await Deno.makeTempDir({ dir: CACHE, prefix: ".new-" });
    try {
      for (const name of ["apt", "out"]) await Deno.mkdir(`${work}/${name}`);
      const index = await Apt.open({
        folder: `${work}/apt`,
        suite: "trixie",
        component: "main",
        architecture: "amd64",
      });
      const [file] = await index.download(await index.show(["drat-trim"]));
      await mustRun("dpkg-deb", ["-x", file, `${work}/out`], { timeoutMs: 120_000 });
      await Deno.rename(`${work}/out`, FOLDER);
    } finally {
      await Deno.remove(work, { recursive: true });
    }
  }
  return `${FOLDER}/usr/bin`;
}

/** @returns whether drat-trim says that the proof shows that no assignment satisfies the clauses. */
export async function dratTrimAccepts(clauses: Clauses, drat: string): Promise<boolean> {
  const { code, said } = await runOn(`${await programs()}/drat-trim`, ["{cnf}", "{drat}", "-f"], {
    cnf: dimacsOf(clauses),
    drat,
  });
  return code === 0 && /^s VERIFIED$/m.test(said);
}

/** @returns whether lrat-check says so of a proof in LRAT. */
export async function lratCheckAccepts(clauses: Clauses, lrat: string): Promise<boolean> {
  const { code, said } = await runOn(`${await programs()}/lrat-check`, ["{cnf}", "{lrat}"], {
    cnf: dimacsOf(clauses),
    lrat,
  });
  return code === 0 && /^c VERIFIED$/m.test(said);
}
