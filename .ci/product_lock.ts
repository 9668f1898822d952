/**
 * The lock file without what `main.ts` does not lead to, on standard output: the compiler embeds
 * every npm package of the lock file that it is given.
 *
 *     deno run -A product_lock.ts GRAPH LOCK     # GRAPH is what `deno info --json main.ts` prints
 */
interface Lock {
  specifiers: Record<string, string>;
  npm: Record<string, unknown>;
}

interface Graph {
  modules: { npmPackage?: string }[];
  npmPackages: Record<string, { dependencies: string[] }>;
}

const [graph, lock] = Deno.args.map((path) => JSON.parse(Deno.readTextFileSync(path))) as [
  Graph,
  Lock,
];
const wanted = new Set<string>();
const queue = graph.modules.flatMap((one) => one.npmPackage ?? []);
for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
  if (!wanted.has(name)) queue.push(...graph.npmPackages[name].dependencies);
  wanted.add(name);
}

function only<T>(table: Record<string, T>, keep: (entry: [string, T]) => boolean) {
  return Object.fromEntries(Object.entries(table).filter(keep));
}

// "npm:NAME@RANGE": "VERSION" stays if the package "NAME@VERSION" does.
lock.specifiers = only(lock.specifiers, ([specifier, version]) => {
  const name = specifier.slice("npm:".length, specifier.lastIndexOf("@"));
  return wanted.has(`${name}@${version}`);
});
lock.npm = only(lock.npm, ([name]) => wanted.has(name));
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(lock)));
