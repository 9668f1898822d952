#!/usr/bin/env bash
# Brings everything that VEI needs to a Debian 12 or 13 machine (amd64, root), builds dist/vei, and
# installs it, or runs the demo or the tests. Safe to run again, also after an interruption: every
# file is made beside its place and moved in when it is whole and checked; what is there stays.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=$ROOT/.cache
LOG=$CACHE/install.log

# Debian packages: name, then why. Only the missing ones are installed, without recommendations.
BUILD_PACKAGES="
ca-certificates         the authorities that every download is checked against
curl                    downloads from Deno's own site; the demo's direct request to the guest
python3                 unpacks what comes from Deno's own site
"
RUN_PACKAGES="
qemu-system-x86         the virtual machine
seabios                 its firmware
bubblewrap              the jail around it
libbpf1                 loads the diode into the kernel
iproute2                lets a person look at the link namespace
util-linux              nsenter, setpriv, unshare
debian-archive-keyring  the guest's packages are checked against Debian's own keys
python3-pip             gets the model, which is published inside a Python package
squashfs-tools          makes the guest's read-only root
xz-utils                unpacks the guest kernel's modules
zstd                    unpacks newer ones
"
TEST_PACKAGES="
cadical                 finds the proofs that the program's certificate holds
z3                      says of every condition of the proof whether it holds
cvc5                    says so too
cpio                    reads the guest's first file system
chromium                opens the status page in the tests
procps                  the tests look at processes
nftables                the tests masquerade
shellcheck              reads this script
systemd                 runs the unit, in namespaces of its own
dbus                    is how systemctl speaks to it
zsh                     completes command lines
fish                    does too
groff-base              sets the manual page
python3-prometheus-client  parses the metrics
"

usage() {
  cat <<'TEXT'
Usage: ./install.sh [COMMAND]

  install [--start] [--no-setup]   without a command too: build vei and install it on this machine
  install --binary FILE [--sha256 HEX]       install that program instead; nothing is built
  uninstall [--purge]              take away what was installed; receipts and configuration stay
  demo [OPTIONS]   install what is missing, build, set up, and run `vei demo`
  test [PATH...]   the same, then run every test, or those under PATH
  build            only build dist/vei

Needs Debian 12 or 13 on amd64, and root where packages are missing.
TEXT
}

# Where packages are missing, the caller has to be root.
fail() {
  printf 'install.sh: %s\n' "$1" >&2
  exit "${2:-1}"
}

say() { printf '[%4d s] %s\n' "$SECONDS" "$*" >&2; }

# step TEXT COMMAND...: runs it with its output in the log, and says every 15 s that it still runs.
# (Functions given to it chain with &&: `set -e` is off wherever a caller looks at the result.)
step() {
  local text=$1 began=$SECONDS code=0
  shift
  say "$text"
  heartbeat "$text" "$began" 9>&- &
  BEAT=$!
  NO_COLOR=1 "$@" >>"$LOG" 2>&1 9>&- || code=$?
  stop_heartbeat
  if [ "$code" -ne 0 ]; then
    tail -n 15 "$LOG" >&2
    say "$text: failed (all of it is in $LOG)"
    return "$code"
  fi
  say "$text: done in $((SECONDS - began)) s"
}

heartbeat() {
  local nap=
  trap '[ -z "$nap" ] || kill "$nap"; exit' INT TERM
  while kill -0 $$ 2>/dev/null; do
    sleep 15 &
    nap=$!
    wait "$nap"
    say "$1: still at it ($((SECONDS - $2)) s)"
  done
}

BEAT=
stop_heartbeat() {
  [ -z "$BEAT" ] || { kill "$BEAT" && wait "$BEAT"; } 2>/dev/null || true
  BEAT=
}
trap stop_heartbeat EXIT
# Said in so many words, because npm turns Ctrl-C into an exit code, and the next way would be tried.
trap 'exit 130' INT
trap 'exit 143' TERM

# --- Debian packages ----------------------------------------------------------------------------

names() { awk 'NF { print $1 }' <<<"$1"; }

apt() {
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -q -y "$@" </dev/null
}

install_packages() {
  if [ ! -e "$CACHE/apt-updated" ]; then
    apt update || echo "going on with the package lists that are there"
    touch "$CACHE/apt-updated"
  fi
  apt install --no-install-recommends "$@"
}

# need_packages LISTS: installs those that are missing.
need_packages() {
  local have name missing=()
  [ -r /etc/debian_version ] || fail "this is not Debian" 69
  have=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
  for name in $(names "$1"); do
    grep -qxF -- "$name" <<<"$have" || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return
  [ "$(id -u)" -eq 0 ] || fail "these Debian packages are missing, and only root can install them: ${missing[*]}" 77
  step "Debian packages: ${missing[*]}" install_packages "${missing[@]}"
}

has_sha256() { [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$2" ]; }

# --- Commands -----------------------------------------------------------------------------------

# begin LISTS: one run at a time; the packages are there afterwards.
begin() {
  [ "$(uname -s)/$(uname -m)" = Linux/x86_64 ] || fail "this is $(uname -s)/$(uname -m), and VEI needs Linux/x86_64" 69
  mkdir -p "$CACHE"
  exec 9>"$CACHE/lock"
  flock -n 9 || { say "waiting for another install.sh"; flock 9; }
  : >"$LOG"
  rm -f "$CACHE/apt-updated"
  need_packages "$1"
}

# prepare LISTS: packages, toolchain and dist/vei.
prepare() {
  begin "$1"
  # shellcheck source=.ci/build.sh
  . "$ROOT/.ci/build.sh"
  need_toolchain
  build
}

# plan SOURCE: what installing will do; at a terminal there is a moment to stop it.
plan() {
  cat >&2 <<TEXT
This installs VEI on this machine:
  packages   of Debian, those that are missing: $(names "$RUN_PACKAGES" | paste -sd ' ')
  program    /usr/local/bin/vei, $1; its completions and manual page in /usr/local/share
  settings   /etc/vei/vei.toml, if it is not there; the system users vei-vm and, for the service, vei
  service    vei.service, where systemd runs; started only with --start
  image      and model: downloaded to /var/lib/vei (about 200 MB), unless --no-setup
To see VEI work without installing it: ./install.sh demo. To undo: ./install.sh uninstall
TEXT
  [ ! -t 2 ] || { say "begins in 8 s; Ctrl-C stops it" && sleep 8; }
}

command_install() {
  local binary='' sum='' options=()
  while [ $# -gt 0 ]; do
    case "$1 ${2:+VALUE}" in
      --start* | --no-setup*) options+=("$1") ;;
      "--binary VALUE") binary=$2 && shift ;;
      "--sha256 VALUE") sum=$2 && shift ;;
      *) fail "install does not know $1, or a value is missing; see ./install.sh --help" 64 ;;
    esac
    shift
  done
  [ -n "$binary" ] || [ -z "$sum" ] || fail "--sha256 belongs to --binary" 64
  [ -z "$binary" ] || [ -r "$binary" ] || fail "there is no $binary" 66
  [ -z "$sum" ] || has_sha256 "$binary" "${sum,,}" || fail "$binary is not the file with that SHA-256; nothing was done" 65
  [ "$(id -u)" -eq 0 ] || fail "installing takes root: sudo ./install.sh" 77
  plan "${binary:-built here from its source, with a Deno of its own}"
  if [ -z "$binary" ]; then
    prepare "$BUILD_PACKAGES$RUN_PACKAGES"
    binary=$ROOT/dist/vei
  else
    begin "$RUN_PACKAGES"
    # A copy of our own: it may be run, and stays the file whose digest was looked at.
    cp "$binary" "$CACHE/binary" && chmod 755 "$CACHE/binary" && binary=$CACHE/binary
    [ -z "$sum" ] || has_sha256 "$binary" "${sum,,}" || fail "the file changed while it was read" 65
  fi
  "$binary" install ${options[@]+"${options[@]}"} 9>&-
  rm -f "$CACHE/binary"
}

command_uninstall() {
  local program=/usr/local/bin/vei
  [ -x "$program" ] || program=$ROOT/dist/vei
  [ -x "$program" ] || fail "neither /usr/local/bin/vei nor dist/vei is there: nothing to uninstall with" 66
  exec "$program" uninstall "$@"
}

command_demo() {
  prepare "$BUILD_PACKAGES$RUN_PACKAGES"
  "$ROOT/dist/vei" setup 9>&-
  exec 9>&-
  exec "$ROOT/dist/vei" demo "$@"
}

command_test() {
  local path paths=()
  prepare "$BUILD_PACKAGES$RUN_PACKAGES$TEST_PACKAGES"
  [ $# -gt 0 ] || need_latest
  for path in "$@"; do
    paths+=("$(realpath -e -- "$path")") || fail "there is no $path" 66
  done
  cd "$ROOT"
  export VEI_TEST_STATE=$CACHE/state VEI_BINARY=$ROOT/dist/vei
  dist/vei setup --state "$VEI_TEST_STATE" 9>&-
  exec 9>&-
  PATH=$DENO_HOME:$PATH exec "$DENO_HOME/deno" run -A ${CI:+--frozen} tests/run.ts ${paths[@]+"${paths[@]}"}
}

# Everything that downloads trusts what the machine trusts.
export DENO_TLS_CA_STORE=system DENO_NO_UPDATE_CHECK=1 RUST_BACKTRACE=0
export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
[ -n "${HOME:-}" ] || export DENO_DIR=$CACHE/deno

case "${1:-}" in
  "" | --binary | --sha256 | --start | --no-setup) command_install "$@" ;;
  install) shift; command_install "$@" ;;
  uninstall) shift; command_uninstall "$@" ;;
  demo) shift; command_demo "$@" ;;
  test) shift; command_test "$@" ;;
  build)
    [ $# -eq 1 ] || fail "build takes no argument" 64
    prepare "$BUILD_PACKAGES"
    say "dist/vei is ready"
    ;;
  -h | --help) usage ;;
  *)
    usage >&2
    fail "there is no command $1" 64
    ;;
esac
