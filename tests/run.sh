#!/usr/bin/env bash
# Builds walrig and runs its tests. Installs what they need (packaging/deps.sh test).
#
#   tests/run.sh [SELECTION...] [--matrix] [--fuzz-seconds N]
#
# Selections (all but bench, long, matrix and debian when none is given):
#   unit          fast tests of every room, the tidy rules, fuzzer seeds
#   conformance   the conformance kit on every shipped plugin, through its .so
#   integration   real PostgreSQL; WAL-G's artefacts; SDK built out of tree
#   faults        crash loops, kill -9 at random moments, full disks
#   fuzz          every fuzzer for some seconds (--fuzz-seconds, default 5), under clang's sanitizers
#   sanitizers    the unit tests under ASan+UBSan, and those of rooms with threads under TSan
#   bench         tables of walrig beside its peers (tests/bench)
#   long          an object of 6 GiB on every storage, in bounded memory (level 3 of the conformance kit); 500 recoveries
#                 from storages that fail at each call in turn; every fuzzer for a minute; what packages build, file by file
#   matrix        integration on PostgreSQL 13, 14, 16, 17 and 18 (also --matrix)
#   debian        the quickstart, on 13 the unit tests too, on a bare Debian 12 and 13, as root and as a user with sudo
#
# Most tests wait more than they compute: the object stores and the sanitizers' trees are built meanwhile, at the lowest
# priority.
#
# Environment: WALRIG_FIXTURES=DIR adds all of WAL-G's artefacts in DIR to those in tests/data;
# CI=true makes a missing service a failure. Exit code 0 only when everything selected passed.
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD
jobs=$(nproc)
fuzz_seconds=5
selected=()
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    --matrix) selected+=(matrix) ;;
    --fuzz-seconds) fuzz_seconds=$2; shift ;;
    unit | conformance | integration | faults | fuzz | sanitizers | bench | long | matrix | debian) selected+=("$1") ;;
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
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
fi
logs=$root/build/test-logs
mkdir -p "$logs"
rm -f "$logs"/*.done
failures=() closings=() started=$(date +%s) phase='' phase_began=0 times=()
now() { echo $(($(date +%s) - started)); }
# begin NAME: a step of the run; its time is told at the end.
begin() {
  local at
  at=$(now)
  [[ -z $phase ]] || times+=("$phase $((at - phase_began))")
  phase=$1 phase_began=$at
  [[ -z $1 ]] || echo "== $1 ($at s)"
}

wants_tests_tree() { wants unit || wants conformance || wants integration || wants faults || wants bench || wants long || wants matrix; }
wants_servers() { wants conformance || wants integration || wants faults || wants bench || wants long || wants matrix; }

# build PRESET [WORD...]: configures and builds; WORDs stand before the compiler's run (nice).
build() {
  local preset=$1
  shift
  { cmake --preset "$preset" && "$@" cmake --build --preset "$preset" -j "$jobs"; } >"$logs/build-$preset.log" 2>&1
}
build_failed() {
  grep -E 'error|FAILED|undefined' "$logs/build-$1.log" | head -40
  echo "tests/run.sh: the build $1 failed; all of it: $logs/build-$1.log" >&2
  exit 1
}

# What is made while tests run. Each thing that is done leaves its exit code in $logs/NAME.done.
prepare() {
  if wants_servers; then
    nice -n 19 bash tests/servers/install.sh >"$logs/servers.log" 2>&1
    echo $? >"$logs/servers.done"
  fi
  # A build of its own beside the first one would only make both slower.
  while wants_tests_tree && [[ ! -e $logs/tests.done ]]; do sleep 1; done
  if wants sanitizers || wants fuzz; then
    build asan-ubsan nice -n 19
    echo $? >"$logs/asan-ubsan.done"
  fi
  if wants sanitizers; then
    build tsan nice -n 19
    echo $? >"$logs/tsan.done"
  fi
}
set -m # a process group of its own, to be ended as a whole
prepare &
preparation=$!
set +m
trap 'kill -TERM -- "-$preparation" 2>/dev/null' EXIT
trap 'exit 130' INT TERM

# await NAME: until that is made; its exit code.
await() {
  begin "wait for $1"
  while [[ ! -e $logs/$1.done ]] && kill -0 "$preparation" 2>/dev/null; do sleep 1; done
  return "$(cat "$logs/$1.done" 2>/dev/null || echo 1)"
}

# run_ctest NAME PRESET LABELS [extra ctest arguments]: tests of a build tree; remembers failure and the closing line.
run_ctest() {
  local name=$1 preset=$2 labels=$3
  shift 3
  begin "$name"
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

if wants_tests_tree; then
  begin build
  build tests || build_failed tests
  echo 0 >"$logs/tests.done"
fi
wants unit && run_ctest unit tests '^unit$' -j "$jobs"
wants faults && run_ctest faults tests '^faults$' -LE '^servers$' -j 1
wants integration && run_ctest integration tests '^integration$' -LE '^servers$' -j 1
if wants_servers; then
  await servers || failures+=(servers)
  cat "$logs/servers.log"
fi
wants faults && run_ctest faults-servers tests '^faults$' -L '^servers$' -j 1
wants integration && run_ctest integration-servers tests '^integration$' -L '^servers$' -j 1
wants conformance && run_ctest conformance tests '^conformance$' -j 1
if wants sanitizers || wants fuzz; then
  await asan-ubsan || build_failed asan-ubsan
fi
wants sanitizers && run_ctest asan-ubsan asan-ubsan '^unit$' -j "$jobs"
wants fuzz && WALRIG_FUZZ_SECONDS=$fuzz_seconds run_ctest fuzz asan-ubsan '^fuzz$' -j "$jobs"
if wants sanitizers; then
  await tsan || build_failed tsan
  run_ctest tsan tsan '^unit$' -j "$jobs"
fi
if wants matrix; then
  begin matrix
  bash tests/integration/matrix.sh "$root/build/tests" || failures+=(matrix)
  # Another program on the same storage; minutes of cargo the first time, hence not in every run.
  bash tests/servers/install.sh walrus && run_ctest peers tests '^integration$' -R peers
fi
if wants long; then
  begin release
  # Here each file must include what it needs: the other builds take several as one.
  build release || build_failed release
  begin long
  build asan-ubsan || build_failed asan-ubsan
  WALRIG_FUZZ_SECONDS=60 run_ctest fuzz-long asan-ubsan '^fuzz$' -j "$jobs"
  python3 tests/conformance/conformance.py "$root/build/tests" --long || failures+=(long)
  WALRIG_RECOVERIES=500 WALRIG_BUILD=$root/build/tests python3 -B tests/integration/test_recovery_faults.py || failures+=(recoveries)
fi
if wants debian; then
  for machine in 12 '--user 12' 13 '--user 13'; do
    begin "debian $machine"
    # shellcheck disable=SC2086 # two words
    bash tests/machines/debian.sh $machine >"$logs/debian${machine// /}.log" 2>&1
    code=$?
    tail -n 3 "$logs/debian${machine// /}.log"
    [[ $code -eq 0 || ($code -eq 77 && -z ${CI:-}) ]] || failures+=("debian $machine")
  done
fi
if wants bench; then
  begin bench
  for table in bench storages ciphers; do
    python3 "tests/bench/$table.py" --build "$root/build/tests" || failures+=("bench: $table")
  done
fi

begin ''
echo "== summary ($(now) s:$(printf ' %s s,' "${times[@]}" | sed 's/,$//'))"
for line in "${closings[@]-}"; do [[ -z $line ]] || echo "$line"; done
if [[ ${#failures[@]} -gt 0 ]]; then
  echo "tests/run.sh: failed: ${failures[*]} (logs in $logs)" >&2
  exit 1
fi
