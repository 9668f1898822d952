/** Ten million cuts of random texts under random policies: never a byte of a violation. */
import { cutAtRandom } from "../tools/cuts.ts";

const CUTS = Number(Deno.env.get("VEI_SOAK_CUTS") ?? 10_000_000);
const SEED = Number(Deno.env.get("VEI_SOAK_SEED") ?? Date.now() % 2 ** 31);
console.log(`seed ${SEED}, ${CUTS} cuts`);

const { cuts, texts, violations } = cutAtRandom(SEED, CUTS);
console.log(
  `${cuts} cuts of ${texts} texts, ${violations} of them with a violation; ` +
    "none released, none changed by a cut",
);
