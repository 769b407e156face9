#!/bin/bash
# run_fuzzer.sh PROGRAM CORPUS SCRATCH: fuzzes for WALRIG_FUZZ_SECONDS (default 10). What is new goes to SCRATCH, which a
# second run starts from; an input that fails is left there as crash-*. WALRIG_FUZZ_SEED (default 1: what guards a branch
# shall not find something on one day and not on the other) leads it elsewhere; 0 stands for a random one.
set -eu
program=$1 corpus=$2 scratch=$3
mkdir -p "$scratch/corpus"
seconds=${WALRIG_FUZZ_SECONDS:-10}
# A fuzzer that found too much memory in use does not always end by itself.
exec timeout -k 10 "$((seconds + 120))" "$program" -seed="${WALRIG_FUZZ_SEED:-1}" -max_total_time="$seconds" -timeout=10 \
  -rss_limit_mb=1024 -max_len=65536 -print_final_stats=1 -artifact_prefix="$scratch/" "$scratch/corpus" "$corpus"
