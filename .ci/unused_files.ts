/**
 * What the program never loads of its npm packages, one `--exclude=FILE` a line: the compiler embeds
 * whole packages, and the program reads all that is embedded into memory when it starts.
 *
 *     deno run -A unused_files.ts INFO LOCK
 *
 * INFO is what `deno info --json` prints, LOCK what product_lock.ts made.
 */
interface Info {
  /** With a folder for each registry. */
  npmCache: string;
}

interface Lock {
  /** By NAME@VERSION, and perhaps `_` and what else it depends on. */
  npm: Record<string, unknown>;
}

/** Types, source maps, and the same once more for CommonJS: we import modules. */
const UNUSED = /\.d\.[cm]?ts$|\.map$|\.cjs$|\/dist\/cjs\/.*\.js$/;

const [{ npmCache }, lock] = Deno.args.map((path) => JSON.parse(Deno.readTextFileSync(path))) as [
  Info,
  Lock,
];

function* filesUnder(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* filesUnder(path);
    else yield path;
  }
}

const unused: string[] = [];
for (const { name: registry } of Deno.readDirSync(npmCache)) {
  for (const key of Object.keys(lock.npm)) {
    const [, name, version] = /^(.+?)@([^@_]+)/.exec(key)!;
    const folder = `${npmCache}/${registry}/${name}/${version}`;
    try {
      for (const path of filesUnder(folder)) {
        if (UNUSED.test(path.slice(folder.length))) unused.push(path);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // it came from another registry
    }
  }
}
const lines = unused.map((path) => `--exclude=${path}\n`).join("");
Deno.stdout.writeSync(new TextEncoder().encode(lines));
