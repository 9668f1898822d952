/** Completion for bash 4 and newer; it needs nothing but bash itself. */
import { moves, type PathKind, type Place, quoted } from "./completion_model.ts";
import { takes, values } from "./completions_case.ts";

/** @returns the script, to be sourced, or found by bash-completion under the name `vei`. */
export function bashScript(places: readonly Place[]): string {
  return `# Completion of vei for bash, made by \`vei completions bash\`.

_vei_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2"); }

_vei_paths() {
  mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
  compopt -o filenames 2>/dev/null
}

# Whether the option $2 of the command $1 takes a value.
_vei_takes() {
  case "$1 $2" in
${takes(places, (patterns) => `    ${patterns}) return 0 ;;`)}
  esac
  return 1
}

# The command that the words so far make, with one more word.
_vei_next() {
  case "$1 $2" in
${steps(places)}
  esac
  printf '%s' "$1"
}

_vei() {
  local cur=\${COMP_WORDS[COMP_CWORD]} before=''
  COMPREPLY=()
  # Bash splits policy:NAME into three words, and puts what we find behind the colon.
  if [[ $cur == : ]]; then
    before=\${COMP_WORDS[COMP_CWORD - 1]}: cur=''
  elif [[ \${COMP_WORDS[COMP_CWORD - 1]} == : ]]; then
    before=\${COMP_WORDS[COMP_CWORD - 2]}:
  fi
  _vei_find "$before$cur"
  COMPREPLY=("\${COMPREPLY[@]#"$before"}")
}

# Completes the word $1.
_vei_find() {
  local cur=$1 at='' option='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    # Bash splits --option=value into three words.
    if [[ $word == = ]]; then continue; fi
    if [[ -n $option ]]; then option=''; continue; fi
    case "$word" in
      --)
        if ((i + 1 == COMP_CWORD)); then _vei_paths -c "$cur"; else _vei_paths -f "$cur"; fi
        return
        ;;
      -*) if _vei_takes "$at" "$word"; then option=$word; fi ;;
      *) at=$(_vei_next "$at" "$word") ;;
    esac
  done
  if [[ $cur == = ]]; then cur=''; fi
  if [[ -n $option ]]; then
    case "$at $option" in
${values(places, reply)}
    esac
    return
  fi
  if [[ $cur == -* ]]; then
    case "$at" in
${options(places)}
    esac
    return
  fi
  case "$at" in
${words(places)}
  esac
}

complete -F _vei vei
`;
}

function steps(places: readonly Place[]): string {
  return moves(places).map(({ from, word, to }) =>
    `    ${quoted(`${from} ${word}`)}) printf '%s' ${quoted(to)}; return ;;`
  ).join("\n");
}

function reply(complete: PathKind | readonly string[]): string {
  if (complete === "file") return `_vei_paths -f "$cur"`;
  if (complete === "folder") return `_vei_paths -d "$cur"`;
  return `_vei_words ${quoted(complete.join(" "))} "$cur"`;
}

function options(places: readonly Place[]): string {
  return places.map(({ at, options }) => {
    const names = options.flatMap(({ long, short }) => short === null ? [long] : [long, short]);
    return `      ${quoted(at)}) ${reply(names)} ;;`;
  }).join("\n");
}

function words(places: readonly Place[]): string {
  return places.flatMap(({ at, words, path }) => {
    const parts = words.length > 0 ? [reply(words.map(({ word }) => word))] : [];
    // Where no word fits, a path may.
    if (path !== null) {
      parts.push((words.length > 0 ? "((${#COMPREPLY[@]})) || " : "") + reply(path));
    }
    return parts.length === 0 ? [] : [`    ${quoted(at)}) ${parts.join("; ")} ;;`];
  }).join("\n");
}
