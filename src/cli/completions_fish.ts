/** Completion for fish 3 and newer. */
import { moves, type PathKind, type Place, quoted } from "./completion_model.ts";

/** @returns the script, for a folder of fish's completions. */
export function fishScript(places: readonly Place[]): string {
  return `# Completion of vei for fish, made by \`vei completions fish\`.

# Whether the words before the cursor make exactly this command.
function __vei_at
    set -l at ''
    set -l skip no
    for word in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
            continue
        end
        switch "$at $word"
${takes(places)}
${steps(places)}
        end
    end
    test "$at" = "$argv[1]"
end

complete -c vei -e
complete -c vei -f
${places.flatMap(linesOf).join("\n")}
`;
}

function takes(places: readonly Place[]): string {
  return places.flatMap(({ at, options }) =>
    options.filter(({ takesValue }) => takesValue).map(({ long, short }) => {
      const names = [long, short].filter((name) => name !== null);
      const patterns = names.map((name) => quoted(`${at} ${name}`)).join(" ");
      return `            case ${patterns}\n                set skip yes`;
    })
  ).join("\n");
}

function steps(places: readonly Place[]): string {
  return moves(places).map(({ from, word, to }) =>
    `            case ${quoted(`${from} ${word}`)}\n                set at ${quoted(to)}`
  ).join("\n");
}

function linesOf({ at, words, path, options }: Place): string[] {
  const here = `complete -c vei -n ${quoted(`__vei_at "${at}"`)}`;
  return [
    ...words.map(({ word, describe }) =>
      `${here} -a ${quoted(word)}${describe === "" ? "" : ` -d ${quoted(describe)}`}`
    ),
    ...(path === null ? [] : [`${here} ${valuesOf(path)}`]),
    ...options.map(({ long, short, describe, takesValue, complete }) =>
      [
        here,
        `-l ${long.slice(2)}`,
        ...(short === null ? [] : [`-s ${short.slice(1)}`]),
        ...(takesValue ? ["-r", ...(complete === null ? [] : [valuesOf(complete)])] : []),
        `-d ${quoted(describe)}`,
      ].join(" ")
    ),
  ];
}

function valuesOf(complete: PathKind | readonly string[]): string {
  if (complete === "file") return "-F";
  if (complete === "folder") return `-a ${quoted("(__fish_complete_directories)")}`;
  return `-a ${quoted(complete.join(" "))}`;
}
