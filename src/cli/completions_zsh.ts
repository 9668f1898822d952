/** Completion for zsh. */
import { type Choice, moves, type PathKind, type Place, quoted } from "./completion_model.ts";
import { takes, values } from "./completions_case.ts";

/** @returns the script: as `_vei` in a folder of `fpath`, or sourced after `compinit`. */
export function zshScript(places: readonly Place[]): string {
  return `#compdef vei
# Completion of vei for zsh, made by \`vei completions zsh\`.

_vei() {
  local at='' option='' word i
  local -a list
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    if [[ -n $option ]]; then option=''; continue; fi
    if [[ $word == -- ]]; then
      if ((i + 1 == CURRENT)); then _command_names -e; else _files; fi
      return
    fi
    case "$at $word" in
${takes(places, (patterns) => `      ${patterns}) option=$word ;;`)}
${steps(places)}
    esac
  done
  if [[ -z $option && $words[CURRENT] == --*=* ]]; then
    option=\${words[CURRENT]%%=*}
    compset -P '*='
  fi
  if [[ -n $option ]]; then
    case "$at $option" in
${values(places, reply)}
    esac
    return
  fi
  if [[ $words[CURRENT] == -* ]]; then
    case "$at" in
${options(places)}
    esac
    _describe -o option list
    return
  fi
  case "$at" in
${words(places)}
  esac
  if (( $#list )); then _describe 'vei' list; fi
}

if [[ $funcstack[1] == _vei ]]; then _vei "$@"; else compdef _vei vei; fi
`;
}

function steps(places: readonly Place[]): string {
  return moves(places).map(({ from, word, to }) =>
    `      ${quoted(`${from} ${word}`)}) at=${quoted(to)} ;;`
  ).join("\n");
}

function reply(complete: PathKind | readonly string[]): string {
  if (complete === "file") return "_files";
  if (complete === "folder") return "_files -/";
  return `compadd -- ${complete.map(quoted).join(" ")}`;
}

/** What \`_describe\` takes: a word, a colon, its description. */
function described(choices: Choice[]): string {
  const words = choices.map(({ word, describe }) =>
    quoted(word.replaceAll(":", "\\:") + (describe === "" ? "" : `:${describe}`))
  );
  return `list=(${words.join(" ")})`;
}

function options(places: readonly Place[]): string {
  return places.map(({ at, options }) => {
    const choices = options.flatMap(({ long, short, describe }) =>
      [long, ...(short === null ? [] : [short])].map((word) => ({ word, describe }))
    );
    return `      ${quoted(at)}) ${described(choices)} ;;`;
  }).join("\n");
}

function words(places: readonly Place[]): string {
  return places.flatMap(({ at, words, path }) => {
    const parts = words.length > 0 ? [described(words)] : [];
    if (path !== null) parts.push(reply(path));
    return parts.length === 0 ? [] : [`    ${quoted(at)}) ${parts.join("; ")} ;;`];
  }).join("\n");
}
