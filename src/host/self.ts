/** How this very program starts itself again: compiled, or from its source. */

/**
 * @param args as for `vei`.
 * @returns the program and arguments that run `vei` with them.
 */
export function selfCommand(args: string[]): { program: string; args: string[] } {
  if (Deno.build.standalone) return { program: Deno.execPath(), args };
  const main = new URL("../../main.ts", import.meta.url).pathname;
  return { program: Deno.execPath(), args: ["run", "-A", "--quiet", main, ...args] };
}
