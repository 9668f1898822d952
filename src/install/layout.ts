/** Where an installation keeps what it has. */

export interface Layout {
  program: string;
  /** Folder of the manifest and of the previous program. */
  library: string;
  manifest: string;
  /** The program that was in use before this one. */
  previous: string;
  config: string;
  unit: string;
  man: string;
  /** Prefix of the shells' completions. */
  prefix: string;
}

/** The systemd service's name. */
export const SERVICE = "vei.service";

/** @param root in front of every path; empty for the machine itself. */
export function layoutUnder(root = ""): Layout {
  const prefix = `${root}/usr/local`;
  const library = `${prefix}/lib/vei`;
  return {
    program: `${prefix}/bin/vei`,
    library,
    manifest: `${library}/installed.json`,
    previous: `${library}/vei.previous`,
    config: `${root}/etc/vei/vei.toml`,
    unit: `${prefix}/lib/systemd/system/${SERVICE}`,
    man: `${prefix}/share/man/man1/vei.1`,
    prefix,
  };
}

/** @returns where a new version's default is laid when the file itself is not ours to replace. */
export function besideOf(path: string): string {
  return `${path}.default`;
}

/** @returns where a file is made before it is moved into its place; one name, so that it is found. */
export function temporaryOf(path: string): string {
  const at = path.lastIndexOf("/") + 1;
  return `${path.slice(0, at)}.${path.slice(at)}.vei-new`;
}
