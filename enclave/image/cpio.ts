/** Archives of the "new ASCII" form that the kernel unpacks as initial RAM disk (initramfs). */

export interface CpioEntry {
  /** Without a leading slash. */
  path: string;
  /** File type and permission bits, see inode(7): 0o100755, 0o040755, … */
  mode: number;
  content?: Uint8Array;
  /** Major and minor number of a device node. */
  device?: [number, number];
}

const ENCODER = new TextEncoder();

/**
 * The same entries give the same bytes: owner 0:0, time 0, inode numbers by position.
 * Source: Documentation/driver-api/early-userspace/buffer-format.rst.
 * @param entries folders before what is in them.
 */
export function cpioArchive(entries: readonly CpioEntry[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const put = (bytes: Uint8Array) => {
    const padding = (4 - bytes.length % 4) % 4;
    parts.push(bytes, new Uint8Array(padding));
    length += bytes.length + padding;
  };
  const add = (entry: CpioEntry, inode: number) => {
    const content = entry.content ?? new Uint8Array();
    const name = ENCODER.encode(`${entry.path}\0`);
    const [major, minor] = entry.device ?? [0, 0];
    const links = (entry.mode & 0o170000) === 0o040000 ? 2 : 1;
    const fields = [inode, entry.mode, 0, 0, links, 0, content.length, 0, 0, major, minor];
    const header = [...fields, name.length, 0]
      .map((field) => field.toString(16).toUpperCase().padStart(8, "0")).join("");
    // Header and name are padded together.
    const head = new Uint8Array(110 + name.length);
    head.set(ENCODER.encode(`070701${header}`));
    head.set(name, 110);
    put(head);
    put(content);
  };
  entries.forEach((entry, index) => add(entry, index + 1));
  add({ path: "TRAILER!!!", mode: 0 }, 0);
  const out = new Uint8Array(Math.ceil(length / 512) * 512);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** @returns a regular file's entry. */
export function cpioFile(path: string, content: Uint8Array, permissions = 0o755): CpioEntry {
  return { path, mode: 0o100000 | permissions, content };
}

/** @returns a folder's entry. */
export function cpioFolder(path: string): CpioEntry {
  return { path, mode: 0o040755 };
}
