#!/usr/bin/env bash
# Runs a command in a bare Debian: debootstrap's smallest one, with git, sudo and a clean clone of this tree, and nothing
# else of this machine but its way to the packages.
#
#   tests/machines/debian.sh [--user] 12|13 [COMMAND]
#
# The default COMMAND is what tests/run.sh debian proves: the quickstart twice in a row, and on 13 the unit tests too.
# --user: as an ordinary user with sudo instead of root. Needs root, and the packages of the release within reach of apt.
# The bare trees are kept in ${WALRIG_MACHINE_CACHE:-/var/cache/walrig-machines}; the clone and all that the command
# installs go away at the end. Exit code: the command's; 77 when such a machine cannot be had here.
set -euo pipefail
cd "$(dirname "$0")/../.."
user=root
case ${1:-} in
  -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
  --user) user=dba; shift ;;
esac
case ${1:-} in
  12) suite=bookworm default='bash packaging/quickstart.sh && bash packaging/quickstart.sh' ;;
  13) suite=trixie default='bash packaging/quickstart.sh && bash packaging/quickstart.sh && bash tests/run.sh unit' ;;
  *) echo "debian.sh: unknown release '${1:-}': 12 or 13" >&2; exit 2 ;;
esac
command=${2:-$default}
cannot() { echo "SKIPPED Debian $suite: $*"; exit 77; }
[[ $(id -u) -eq 0 ]] || cannot "not root"
for program in debootstrap unshare; do command -v "$program" >/dev/null || cannot "no $program"; done

cache=${WALRIG_MACHINE_CACHE:-/var/cache/walrig-machines}
base=$cache/$suite
sources=/etc/apt/sources.list.d/debian.sources
if [[ ! -e $base/etc/debian_version ]]; then
  mkdir -p "$cache"
  rm -rf "$base.part"
  # The mirror that this machine uses; debootstrap knows the public one.
  mirror=$(sed -n 's/^URIs: //p' "$sources" 2>/dev/null | head -n 1)
  debootstrap --variant=minbase --include=ca-certificates,git,sudo "$suite" "$base.part" ${mirror:+"$mirror"} >"$base.log" 2>&1 ||
    { tail -n 3 "$base.log" >&2; cannot "debootstrap failed"; }
  cp -a /etc/apt/apt.conf.d/. "$base.part/etc/apt/apt.conf.d/"
  cp --remove-destination /etc/ssl/certs/ca-certificates.crt "$base.part/etc/ssl/certs/"
  mv "$base.part" "$base"
fi

machine=$(mktemp -d "$cache/run.XXXXXX")
trap 'rm -rf --one-file-system "$machine"' EXIT
cp -a "$base/." "$machine"
git clone --quiet . "$machine/src/walrig"
cp /etc/resolv.conf /etc/hosts "$machine/etc/"
home=/root
if [[ $user != root ]]; then
  home=/home/$user
  chroot "$machine" useradd --create-home --shell /bin/bash "$user"
  echo "$user ALL=(ALL) NOPASSWD: ALL" >"$machine/etc/sudoers.d/$user"
  chroot "$machine" chown -R "$user" /src
fi
# What a client needs to reach the packages may come by the environment.
mapfile -t passed < <(env | grep -iE '^((https?|no)_proxy|NODE_EXTRA_CA_CERTS|npm_config_[a-z_]*|PIP_[A-Z_]*|SSL_CERT_[A-Z]*|GOPROXY|CI)=' || true)
# Mounts and processes end with the command.
unshare --mount --pid --uts --fork --kill-child bash -euc '
  machine=$1 user=$2 home=$3 command=$4
  shift 4
  mount --bind "$machine" "$machine"
  cd "$machine"
  mount -t proc proc proc
  mount --rbind /dev dev
  mount -t tmpfs tmpfs dev/shm
  mount -t tmpfs tmpfs run
  become=()
  [[ $user == root ]] || become=(setpriv --reuid="$user" --regid="$user" --init-groups)
  exec chroot . env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" LANG=C.UTF-8 TERM=dumb "$@" \
    "${become[@]}" bash -c "cd /src/walrig && $command"
' _ "$machine" "$user" "$home" "$command" ${passed[@]+"${passed[@]}"}
