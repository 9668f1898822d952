/**
 * Runs every program of a folder in turn: `deno run -A tests/each.ts FOLDER SUFFIX`, e.g.
 * `tests/bench _bench.ts`. They print their figures themselves and fail when a promise is not kept.
 * Exit 1 when one failed or there was none.
 */
const [folder, suffix] = Deno.args;
const names = [...Deno.readDirSync(folder)].map((entry) => entry.name)
  .filter((name) => name.endsWith(suffix)).sort();

const failed: string[] = [];
for (const name of names) {
  console.log(`\n${folder}/${name}`);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${folder}/${name}`],
    stdin: "null",
  }).spawn().status;
  if (!success) failed.push(name);
}
if (names.length === 0) console.log(`no program in ${folder} ends in ${suffix}`);
console.log(`\n${names.length - failed.length} kept, ${failed.length} broken ${failed.join(" ")}`);
Deno.exit(failed.length > 0 || names.length === 0 ? 1 : 0);
