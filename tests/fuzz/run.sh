#!/usr/bin/env bash
# Builds every fuzz target with clang++ (preset fuzz) and runs each for some seconds, two at a time.
#
#   tests/fuzz/run.sh [SECONDS [TARGET...]]    default: 600 seconds, all targets
#
# Inputs begin with tests/fuzz/seeds/TARGET and what an earlier run found (build/fuzz/corpus/TARGET). An input that breaks a parser is
# kept as build/fuzz/found/TARGET-*: once it is mended, add it to the seeds, which every run tries first.
# Exit status: 0 when nothing was found, 1 when something was, 77 without clang++ and libFuzzer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly TIME=${1:-600}
shift || true
readonly FOLDER=build/fuzz

if ! command -v clang++ > /dev/null || [[ ! -e $(clang++ -print-file-name=libclang_rt.fuzzer-x86_64.a) ]]; then
  printf 'fuzz: skipped: no clang++ with libFuzzer (on Debian: apt-get install clang libclang-rt-14-dev)\n'
  exit 77
fi
mkdir -p "$FOLDER"
if ! { cmake --preset fuzz && cmake --build --preset fuzz -j "$(nproc)"; } > "$FOLDER/build.log" 2>&1; then
  tail -n 20 "$FOLDER/build.log" >&2
  printf 'fuzz: the build failed (details: %s)\n' "$FOLDER/build.log" >&2
  exit 1
fi

targets=("$@")
((${#targets[@]})) || for seeds in tests/fuzz/seeds/*/; do targets+=("$(basename "$seeds")"); done

# Tokenizers of the golden tests, each with a text, are seeds too.
mkdir -p "$FOLDER/corpus/tokenizer_json" "$FOLDER/corpus/sentencepiece" "$FOLDER/found"
for golden in tests/golden/tokenizers/*/tokenizer.json; do
  { cat "$golden"; printf '\x1eThe ferry costs 14 crowns.'; } > "$FOLDER/corpus/tokenizer_json/$(basename "$(dirname "$golden")")"
done
cp tests/golden/tokenizers/spm_bpe/tokenizer.model "$FOLDER/corpus/sentencepiece/golden"

# Files that a target writes for its parser lie in memory where there is such a folder.
[[ -w /dev/shm ]] && export TMPDIR=/dev/shm
# RocksDB, FAISS and protobuf are not instrumented, so what containers of theirs hold looks wrong to that one check.
export ASAN_OPTIONS=detect_container_overflow=0:allocator_may_return_null=0 UBSAN_OPTIONS=print_stacktrace=1
export OMP_NUM_THREADS=1
# On a small stack a parser that recurses without a bound is found by inputs of a few thousand bytes.
ulimit -s 512

# One target; its output is shown only when it found something.
fuzz() {
  local target=$1 log=$FOLDER/$1.log
  mkdir -p "$FOLDER/corpus/$target"
  if "$FOLDER/bin/${target}_fuzz" -max_total_time="$TIME" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
    -artifact_prefix="$FOLDER/found/$target-" "$FOLDER/corpus/$target" "tests/fuzz/seeds/$target" > "$log" 2>&1; then
    printf 'fuzz: %-22s nothing found in %s inputs\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  else
    grep -vE '^#[0-9]+' "$log" | tail -n 60 >&2
    printf 'fuzz: %-22s FOUND something: the input is %s, the whole output %s\n' "$target" \
      "$(sed -n 's/.*Test unit written to //p' "$log")" "$log" >&2
    return 1
  fi
}

found=0 running=0
for target in "${targets[@]}"; do
  if ((running == 2)); then
    wait -n || found=1
    running=$((running - 1))
  fi
  fuzz "$target" &
  running=$((running + 1))
done
while ((running--)); do wait -n || found=1; done
exit $found
