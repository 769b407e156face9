#!/usr/bin/env bash
# Builds walrig and runs its tests. Installs what they need (packaging/deps.sh test).
#
#   tests/run.sh [SELECTION...] [--matrix] [--fuzz-seconds N]
#
# Selections (all but bench, long and matrix when none is given):
#   unit          fast tests of every room, the tidy rules, fuzzer seeds
#   conformance   the conformance kit on every shipped plugin, through its .so
#   integration   real PostgreSQL 15; WAL-G's artefacts; SDK built out of tree
#   faults        crash loops, kill -9 at random moments, full disks
#   fuzz          every fuzzer for some seconds (--fuzz-seconds, default 10), under clang's sanitizers
#   sanitizers    the unit tests under ASan+UBSan and under TSan
#   bench         tables of walrig beside its peers (tests/bench)
#   long          an object of 6 GiB on every storage, in bounded memory (level 3 of the conformance kit); 500 recoveries
#                 from storages that fail at each call in turn
#   matrix        integration on PostgreSQL 13, 14, 16, 17 and 18 (also --matrix)
#
# Environment: WALRIG_FIXTURES=DIR adds all of WAL-G's artefacts in DIR to those in tests/data;
# CI=true makes a missing service a failure. Exit code 0 only when everything selected passed.
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD
jobs=$(nproc)
fuzz_seconds=10
selected=()
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    --matrix) selected+=(matrix) ;;
    --fuzz-seconds) fuzz_seconds=$2; shift ;;
    unit | conformance | integration | faults | fuzz | sanitizers | bench | long | matrix) selected+=("$1") ;;
    *) echo "tests/run.sh: unknown selection '$1' (see --help)" >&2; exit 2 ;;
  esac
  shift
done
[[ ${#selected[@]} -gt 0 ]] || selected=(unit conformance integration faults fuzz sanitizers)
wants() { [[ " ${selected[*]} " == *" $1 "* ]]; }

# The build tree may lie where plugins are not trusted: a checkout of another user, a shared folder. The rules of trust
# have unit tests of their own.
export WALRIG_PLUGIN_TRUST=any

bash packaging/deps.sh test || exit 1
# What did not change since the last run, in this checkout or another, is not compiled again.
if command -v ccache >/dev/null; then
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
fi
logs=$root/build/test-logs
mkdir -p "$logs"
failures=() closings=() started=$(date +%s)
elapsed() { echo "$(($(date +%s) - started)) s"; }

# build PRESET: configures and builds; a failure ends the run, since nothing after it would mean anything.
build() {
  echo "== build $1 ($(elapsed))"
  if ! { cmake --preset "$1" && cmake --build --preset "$1" -j "$jobs"; } >"$logs/build-$1.log" 2>&1; then
    grep -E 'error|FAILED|undefined' "$logs/build-$1.log" | head -40
    echo "tests/run.sh: the build $1 failed; all of it: $logs/build-$1.log" >&2
    exit 1
  fi
}

# run_ctest NAME PRESET LABELS [extra ctest arguments]: tests of a build tree; remembers failure and the closing line.
run_ctest() {
  local name=$1 preset=$2 labels=$3
  shift 3
  echo "== $name ($(elapsed))"
  local log=$logs/ctest-$name.log
  ctest --test-dir "build/$preset" -L "$labels" --no-tests=error -V "$@" >"$log" 2>&1 || failures+=("$name")
  if [[ " ${failures[*]-} " == *" $name "* ]]; then
    echo "what failed, with the end of its output (all of it: $log):"
    sed -n '/^The following tests FAILED/,$p' "$log"
    for test in $(sed -n '/^The following tests FAILED/,$p' "$log" | sed -nE 's/^[[:space:]]*([0-9]+) - .*/\1/p' | head -n 8); do
      grep -E "^$test: " "$log" | tail -n 60
    done
  fi
  # A test that could not run says why; it is shown even when everything passed.
  grep -hE '^[0-9]+: .*SKIPPED|\*\*\*Skipped' "$log" | sort -u | sed "s/^/$name: /"
  closings+=("$name: $(grep -E 'tests passed|No tests' "$log" | tail -n 1)")
}

if wants unit || wants conformance || wants integration || wants faults || wants bench || wants long || wants matrix; then
  build release
fi
if wants conformance || wants integration || wants faults || wants bench || wants long; then
  echo "== servers ($(elapsed))"
  bash tests/servers/install.sh || failures+=(servers)
fi
wants unit && run_ctest unit release '^unit$' -j "$jobs"
wants conformance && run_ctest conformance release '^conformance$' -j 1
wants integration && run_ctest integration release '^integration$' -j 1
wants faults && run_ctest faults release '^faults$' -j 1
if wants sanitizers; then
  build asan-ubsan
  run_ctest asan-ubsan asan-ubsan '^unit$' -j "$jobs"
  build tsan
  run_ctest tsan tsan '^unit$' -j "$jobs"
fi
if wants fuzz; then
  build fuzz
  WALRIG_FUZZ_SECONDS=$fuzz_seconds run_ctest fuzz fuzz '^fuzz$' -j "$jobs"
fi
if wants matrix; then
  bash tests/integration/matrix.sh "$root/build/release" || failures+=(matrix)
  # Another program on the same storage; minutes of cargo the first time, hence not in every run.
  bash tests/servers/install.sh walrus && run_ctest peers release '^integration$' -R peers
fi
if wants long; then
  echo "== long ($(elapsed))"
  python3 tests/conformance/conformance.py "$root/build/release" --long || failures+=(long)
  WALRIG_RECOVERIES=500 WALRIG_BUILD=$root/build/release python3 -B tests/integration/test_recovery_faults.py || failures+=(recoveries)
fi
if wants bench; then
  for table in bench storages ciphers; do
    python3 "tests/bench/$table.py" --build "$root/build/release" || failures+=("bench: $table")
  done
fi

echo "== summary ($(elapsed))"
for line in "${closings[@]-}"; do [[ -z $line ]] || echo "$line"; done
if [[ ${#failures[@]} -gt 0 ]]; then
  echo "tests/run.sh: failed: ${failures[*]} (logs in $logs)" >&2
  exit 1
fi
