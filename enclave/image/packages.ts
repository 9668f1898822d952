/** Debian's package index, as `apt-cache show` prints it (Debian Policy §5.1). */

export interface Package {
  name: string;
  version: string;
  sha256: string;
  size: number;
  /** The first choice of each dependency, without its version. */
  depends: string[];
}

/**
 * @param text stanzas of `Field: value` lines, separated by empty lines.
 * @returns the packages; of each name the first stanza only.
 * @throws SyntaxError for a stanza without name, version, size or SHA-256.
 */
export function parseIndex(text: string): Package[] {
  const packages = new Map<string, Package>();
  for (const stanza of text.split(/\n\n+/)) {
    if (stanza.trim() === "") continue;
    const fields = parseStanza(stanza);
    const name = need(fields, "Package", /^[a-z0-9][a-z0-9+.-]+$/);
    if (packages.has(name)) continue;
    packages.set(name, {
      name,
      version: need(fields, "Version", /^[0-9A-Za-z.+:~-]+$/),
      sha256: need(fields, "SHA256", /^[0-9a-f]{64}$/),
      size: Number(need(fields, "Size", /^[1-9][0-9]{0,10}$/)),
      depends: parseDepends(fields.get("depends") ?? ""),
    });
  }
  return [...packages.values()];
}

function parseStanza(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let last = "";
  for (const line of stanza.split("\n")) {
    if (/^[ \t]/.test(line)) {
      fields.set(last, `${fields.get(last) ?? ""}\n${line.trim()}`);
      continue;
    }
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    last = line.slice(0, colon).toLowerCase();
    fields.set(last, line.slice(colon + 1).trim());
  }
  return fields;
}

function need(fields: Map<string, string>, field: string, form: RegExp): string {
  const value = fields.get(field.toLowerCase()) ?? "";
  if (!form.test(value)) {
    const name = fields.get("package") ?? "a package";
    throw new SyntaxError(`Cannot read the index: ${field} of ${name} is ${JSON.stringify(value)}`);
  }
  return value;
}

function parseDepends(text: string): string[] {
  return text.split(",")
    .map((one) => one.split("|")[0].trim().split(/[ :(]/)[0])
    .filter((name) => name !== "");
}

/** Debian's names of shared-library packages end in the library's version: `libssl3t64`. */
const LIBRARY = /^(lib.*[0-9](t64)?|zlib1g)$/;

/**
 * @param show looks packages up by name; unknown names are left out of the answer.
 * @returns the wanted packages and every shared library that they need, sorted by name.
 * @throws Error naming a package that the index does not have.
 */
export async function withLibraries(
  wanted: readonly string[],
  show: (names: string[]) => Promise<Package[]>,
): Promise<Package[]> {
  const found = new Map<string, Package>();
  for (let names = [...wanted]; names.length > 0;) {
    const shown = await show(names);
    for (const one of shown) found.set(one.name, one);
    const missing = names.find((name) => !found.has(name));
    if (missing !== undefined) throw new Error(`the index has no package ${missing}`);
    const next = shown.flatMap((one) => one.depends).filter((name) =>
      LIBRARY.test(name) && !found.has(name)
    );
    names = [...new Set(next)];
  }
  return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

/**
 * Goes from the meta-package to the packages with the kernel and its modules: from Debian 14 on they
 * are two, before it was one.
 * @returns the kernel's release name (`7.2.12+deb14-cloud-amd64`) and the packages.
 */
export async function kernelPackages(
  meta: string,
  show: (names: string[]) => Promise<Package[]>,
): Promise<{ release: string; packages: Package[] }> {
  const [first] = await show([meta]);
  const prefix = "linux-image-";
  const image = first?.depends.find((name) => name.startsWith(prefix) && /\d/.test(name));
  if (image === undefined) throw new Error(`${meta} does not lead to a kernel`);
  const [one] = await show([image]);
  if (one === undefined) throw new Error(`the index has no package ${image}`);
  const parts = one.depends.filter((name) => /^linux-(binary|modules)-\d/.test(name));
  return {
    release: image.slice(prefix.length),
    packages: parts.length > 0 ? await show(parts) : [one],
  };
}
