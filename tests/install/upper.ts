/** What a clean root has in its own layer: every path that is not as on the machine itself. */
/** All that `vei install` may be asked about a path, except for times. */
export interface Entry {
  /** `f`, `d`, `l`; `gone` where a file of the machine's is hidden. */
  type: string;
  mode: string;
  owner: string;
  /** A link's target, or a file's checksum and size, as cksum(1) prints them. */
  content: string;
}

const LIST = String.raw`
cd "$1"
find . -mindepth 1 -printf '%P\t%y\t%m\t%U:%G\t%l\n'
echo --
find . -type f | while read -r path; do
  if cmp -s "$path" "/$path"; then echo "same $path"; else cksum "$path"; fi
done
`;

/**
 * @param pid a process in the mount namespace in which `folder` is the overlay's upper layer.
 * @returns what differs from the machine's own files; what was only copied up, and /tmp, is left out.
 */
export async function readUpper(pid: number, folder: string): Promise<Map<string, Entry>> {
  const { code, stdout } = await new Deno.Command("nsenter", {
    args: ["--target", String(pid), "--mount", "sh", "-c", LIST, "sh", folder],
  }).output();
  if (code !== 0) throw new Error(`cannot list ${folder}`);
  // Before the mark there may be nothing: on a machine of which nothing has been changed.
  const [entries, sums] = new TextDecoder().decode(stdout).split(/^--\n/m);
  const sumOf = new Map<string, string>();
  for (const [, sum, path] of sums.matchAll(/^(same|\d+ \d+) \.\/(.*)$/gm)) sumOf.set(path, sum);
  const found = new Map<string, Entry>();
  for (const line of entries.split("\n").filter((line) => line !== "")) {
    const [path, kind, mode, owner, target] = line.split("\t");
    // A character device 0/0 hides what is below (kernel, Documentation/filesystems/overlayfs.rst).
    const type = kind === "c" ? "gone" : kind;
    const entry = { type, mode, owner, content: type === "f" ? sumOf.get(path)! : target };
    if (!path.startsWith("tmp/") && !await isOnMachine(`/${path}`, entry)) {
      found.set(`/${path}`, entry);
    }
  }
  return found;
}

async function isOnMachine(path: string, { type, mode, owner, content }: Entry): Promise<boolean> {
  try {
    const info = await Deno.lstat(path);
    if ((info.mode! & 0o7777).toString(8) !== mode || `${info.uid}:${info.gid}` !== owner) {
      return false;
    }
    if (type === "d") return info.isDirectory;
    if (type === "f") return info.isFile && content === "same";
    return type === "l" && info.isSymlink && await Deno.readLink(path) === content;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw cause;
  }
}

/** @returns the paths at which the two differ, with what they are in each, for comparing. */
export function changed(
  before: Map<string, Entry>,
  after: Map<string, Entry>,
): Record<string, [before: Entry | null, after: Entry | null]> {
  const all = [...new Set([...before.keys(), ...after.keys()])].sort();
  return Object.fromEntries(
    all.map((path): [string, [Entry | null, Entry | null]] => [
      path,
      [before.get(path) ?? null, after.get(path) ?? null],
    ]).filter(([, [old, now]]) => JSON.stringify(old) !== JSON.stringify(now)),
  );
}
