/** Branches of `case`, which bash and zsh write alike. */
import { type PathKind, type Place, quoted } from "./completion_model.ts";

/** @returns the option's spellings after the command, as patterns of `case`. */
function patterns(at: string, names: (string | null)[]): string {
  return names.filter((name) => name !== null).map((name) => quoted(`${at} ${name}`)).join(" | ");
}

/** @returns a branch for each option that takes a value. @param branch what it does, and its end. */
export function takes(places: readonly Place[], branch: (patterns: string) => string): string {
  return places.flatMap(({ at, options }) =>
    options.filter(({ takesValue }) => takesValue)
      .map(({ long, short }) => branch(patterns(at, [long, short])))
  ).join("\n");
}

/** @returns a branch for each option of whose value something is known. */
export function values(
  places: readonly Place[],
  reply: (complete: PathKind | readonly string[]) => string,
): string {
  return places.flatMap(({ at, options }) =>
    options.filter(({ takesValue, complete }) => takesValue && complete !== null)
      .map(({ long, short, complete }) =>
        `      ${patterns(at, [long, short])}) ${reply(complete!)} ;;`
      )
  ).join("\n");
}
