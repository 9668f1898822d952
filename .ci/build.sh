#!/usr/bin/env bash
# The pinned Deno, and dist/vei made with it. Read by install.sh, whose functions and folders it uses.
# shellcheck disable=SC2154 # ROOT, CACHE and LOG are those of install.sh.
set -euo pipefail

TOOLS=$ROOT/.tools

# Deno is pinned, because `deno compile` needs the runtime `denort` of exactly the same version, and
# that can be had without Deno's own site for this version only (see denort_from_npm).
DENO_VERSION=2.4.2
DENO_HOME=$TOOLS/deno-$DENO_VERSION
DENO_SHA256=1d6580e813252f6b27a41d97d2e3725a408baa2e765a86e45f65b228d3e93ad6
DENO_PACKAGE=@deno/linux-x64-glibc
DENO_INTEGRITY=sha512-LzDLyrROm2oxt2g8sjG6niYWaZas/HLBk4Ns5qEhf2bGaDr8Lcq24VTnThZLepLUKt8cTfT3NGX3MZZWKwSVmA==
LATEST_HOME=$TOOLS/deno-latest
DENORT_SHA256=2705685d7478610b98dcd43acecd457a19810146323041c8af8a88f7dd0b5e82
VLT_PACKAGE=@vltpkg/cli-linux-x64@0.0.0-18
VLT_INTEGRITY=sha512-eQvsTLNKsoA/sH80Nn1iEKu+Lh24kmbB97dDjhn34py23Xc6+/uI48UNG2k/TQFIcVf7Sckwnrk80L00Hx1eXA==
DENO_SITE=https://dl.deno.land/release/v$DENO_VERSION

# --- Toolchain ----------------------------------------------------------------------------------

# place FILE SHA256 NAME: moves a checked file into the toolchain's folder.
place() {
  has_sha256 "$1" "$2" || { echo "$1 is not the file that is pinned for $3"; return 1; }
  chmod 755 "$1" && mkdir -p "$DENO_HOME" && mv "$1" "$DENO_HOME/$3"
}

# from_npm PACKAGE INTEGRITY FOLDER: the package's archive as FOLDER/package.tgz. An empty INTEGRITY
# leaves the check to npm, which compares with what the registry says.
from_npm() {
  local file sum
  # In the folder, so that npm finds no project; the file's name is npm's last line.
  file=$(cd "$3" && npm pack --ignore-scripts --loglevel=error --pack-destination "$3" "$1" | tail -n 1) || return
  if [ -n "$2" ]; then
    sum=sha512-$(sha512_base64 "$3/$file")
    [ "$sum" = "$2" ] || { echo "the archive of $1 is not the pinned one"; return 1; }
  fi
  mv "$3/$file" "$3/package.tgz"
}

# The digest as npm writes it: base64 of the bytes, not hexadecimal.
sha512_base64() {
  local bytes
  bytes=$(sha512sum <"$1" | cut -d' ' -f1 | sed 's/../\\x&/g')
  printf '%b' "$bytes" | base64 -w0
}

# from_site FILE FOLDER: FILE.zip of Deno's own site, unpacked into FOLDER.
from_site() {
  curl -fsSL --connect-timeout 5 --max-time 300 -o "$2/site.zip" "$DENO_SITE/$1-x86_64-unknown-linux-gnu.zip" &&
    python3 -m zipfile -e "$2/site.zip" "$2"
}

deno_from_path() {
  local found
  found=$(deno eval 'console.log(Deno.execPath())') &&
    cp "$found" "$1/deno" &&
    place "$1/deno" "$DENO_SHA256" deno
}

deno_from_npm() {
  from_npm "$DENO_PACKAGE@$DENO_VERSION" "$DENO_INTEGRITY" "$1" &&
    tar -xzOf "$1/package.tgz" package/deno >"$1/deno" &&
    place "$1/deno" "$DENO_SHA256" deno
}

deno_from_site() {
  from_site deno "$1" && place "$1/deno" "$DENO_SHA256" deno
}

denort_from_site() {
  from_site denort "$1" && place "$1/denort" "$DENORT_SHA256" denort
}

# A program made by `deno compile` is denort, then its data, then a trailer that ends in the data's
# length (8 bytes, little endian). This package holds one that was made by exactly our version, so
# the front of it is denort itself, as the pinned digest shows.
denort_from_npm() {
  local size data
  from_npm "$VLT_PACKAGE" "$VLT_INTEGRITY" "$1" &&
    tar -xzOf "$1/package.tgz" package/vlt >"$1/vlt" &&
    size=$(stat -c %s "$1/vlt") &&
    data=$(tail -c 8 "$1/vlt" | od -An -t u8 | tr -d ' ') &&
    head -c $((size - data)) "$1/vlt" >"$1/denort" &&
    place "$1/denort" "$DENORT_SHA256" denort
}

# latest_from_npm VERSION FOLDER: the newest Deno, which the sources are checked with too.
latest_from_npm() {
  from_npm "$DENO_PACKAGE@$1" "" "$2" &&
    tar -xzOf "$2/package.tgz" package/deno >"$2/deno" &&
    chmod 755 "$2/deno" &&
    rm -f "$LATEST_HOME/version" &&
    mv "$2/deno" "$LATEST_HOME/deno" &&
    echo "$1" >"$LATEST_HOME/version"
}

need_npm() {
  command -v npm >/dev/null && return
  need_packages "npm  brings Deno where Deno's own site is out of reach"
}

# with_folder COMMAND...: runs it with an empty folder as its last argument, gone afterwards.
with_folder() {
  local folder code=0
  mkdir -p "$TOOLS"
  folder=$(mktemp -d "$TOOLS/.new-XXXXXX")
  "$@" "$folder" || code=$?
  rm -rf "$folder"
  return "$code"
}

# The download site is asked once: where it cannot be reached, it will not be a minute later.
SITE=unknown
site_reached() {
  if [ "$SITE" = unknown ]; then
    SITE=no
    curl -fsIL -o /dev/null --connect-timeout 5 --max-time 15 "$DENO_SITE/deno-x86_64-unknown-linux-gnu.zip" \
      2>/dev/null && SITE=yes
  fi
  [ "$SITE" = yes ]
}

need_toolchain() {
  find "$TOOLS" -maxdepth 1 -name '.new-*' -exec rm -rf {} + 2>/dev/null || true
  if [ ! -x "$DENO_HOME/deno" ]; then
    { [ "$(deno --version 2>/dev/null | sed -n 's/^deno \([0-9.]*\).*/\1/p')" = "$DENO_VERSION" ] &&
      with_folder step "Deno $DENO_VERSION, from the one that is installed" deno_from_path; } ||
      { command -v npm >/dev/null &&
        with_folder step "Deno $DENO_VERSION, by npm" deno_from_npm; } ||
      { site_reached && with_folder step "Deno $DENO_VERSION, from its own site" deno_from_site; } ||
      { need_npm && with_folder step "Deno $DENO_VERSION, by npm" deno_from_npm; } ||
      fail "Deno $DENO_VERSION cannot be had: neither by npm nor from its own site" 69
  fi
  if [ ! -x "$DENO_HOME/denort" ]; then
    { site_reached &&
      with_folder step "The runtime for compiled programs, from Deno's own site" denort_from_site; } ||
      { need_npm && with_folder step "The runtime for compiled programs, by npm" denort_from_npm; } ||
      fail "denort $DENO_VERSION cannot be had: neither by npm nor from Deno's own site" 69
  fi
}

# Leaves the reason in $LATEST_HOME/missing when there is none: the test runner counts that.
need_latest() {
  local version
  mkdir -p "$LATEST_HOME"
  rm -f "$LATEST_HOME/missing"
  if ! { need_npm && version=$(cd "$LATEST_HOME" && npm view "$DENO_PACKAGE" version 2>>"$LOG"); }; then
    echo "npm cannot tell which Deno is the newest" >"$LATEST_HOME/missing"
  elif [ "$(cat "$LATEST_HOME/version" 2>/dev/null)" != "$version" ]; then
    with_folder step "Deno $version (the newest), by npm" latest_from_npm "$version" ||
      echo "Deno $version cannot be had by npm" >"$LATEST_HOME/missing"
  fi
}

# --- Build --------------------------------------------------------------------------------------

# The digest of all that dist/vei is made of.
build_inputs() {
  (
    cd "$ROOT"
    echo "$DENO_SHA256 $DENORT_SHA256"
    find . .ci/build.sh .ci/product_lock.ts .ci/unused_files.ts \( -name '.?*' -o -path ./dist -o -path ./tests -o -name '*_test.ts*' -o -name '*.md' \) -prune -o -type f -print0 |
      LC_ALL=C sort -z | xargs -0 sha256sum
  ) | sha256sum | cut -d' ' -f1
}

# `deno compile` embeds every npm package of the lock file, those of the tests and of the type check
# too. So it is given the lock file without what main.ts does not lead to (same hashes).
product_lock() {
  "$DENO_HOME/deno" info --frozen --json main.ts >"$CACHE/graph.json" &&
    "$DENO_HOME/deno" run --no-lock --no-config -A .ci/product_lock.ts "$CACHE/graph.json" deno.lock >"$CACHE/product.lock"
}

unused_files() {
  "$DENO_HOME/deno" info --json >"$CACHE/info.json" &&
    "$DENO_HOME/deno" run --no-lock --no-config -A .ci/unused_files.ts "$CACHE/info.json" "$CACHE/product.lock" >"$CACHE/unused-files" &&
    mapfile -t UNUSED_FILES <"$CACHE/unused-files"
}

# Left alone, V8 lets its heap grow to several times what is in use before it frees the rest, and
# keeps 16 MiB for young objects. So: 2 to 4 MiB (with 1, more of them live on as old ones), and
# twice what was in use the last time. Less than that costs time where policies are compiled.
V8_FLAGS=--max-semi-space-size=4,--min-semi-space-size=2,--heap-growing-percent=100

compile() {
  cd "$ROOT" && mkdir -p dist/.new &&
    "$DENO_HOME/deno" check --frozen main.ts &&
    product_lock &&
    unused_files &&
    # A deep dependency graph overflows the compiler's default stack. No code cache: a root program
    # should leave no files in /tmp.
    RUST_MIN_STACK=16777216 DENORT_BIN=$DENO_HOME/denort "$DENO_HOME/deno" compile --no-check \
      --lock="$CACHE/product.lock" -A --no-code-cache --v8-flags="$V8_FLAGS" "${UNUSED_FILES[@]}" \
      --include src/cli/compile_thread.ts --output dist/.new/vei main.ts &&
    # It loads all its modules here: none of them was left out.
    dist/.new/vei version &&
    mv dist/.new/vei dist/vei && rmdir dist/.new
}

build() {
  local inputs
  inputs=$(build_inputs)
  if [ -x "$ROOT/dist/vei" ] && [ "$(cat "$CACHE/build" 2>/dev/null)" = "$inputs" ]; then return; fi
  rm -f "$CACHE/build"
  step "dist/vei, by deno compile" compile
  echo "$inputs" >"$CACHE/build"
}
