#!/usr/bin/env bash
# Builds the unit tests under sanitizers and runs them: asan (addresses and undefined behaviour), then tsan (threads). Long: the first
# build compiles nearly everything twice.
#
#   tests/sanitize.sh                     both
#   tests/sanitize.sh asan|tsan           one of them
#   tests/sanitize.sh tsan -R GuardLog    arguments go to ctest
#
# libtorch, FAISS, RocksDB, OpenBLAS and the OpenMP runtime are not instrumented. What happens inside them is not seen: no race on a
# tensor's elements that their kernels read or write, no access out of bounds by them. tests/sanitize/*.supp says what else is left out.
# Exit status: 0 when every test passed and nothing was found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case ${1:-} in
  asan | tsan) presets=("$1") && shift ;;
  *) presets=(asan tsan) ;;
esac

readonly SUPPRESSIONS=$PWD/tests/sanitize
# Containers that uninstrumented libraries fill look wrong to that one check.
export ASAN_OPTIONS=detect_container_overflow=0:detect_stack_use_after_return=1
export LSAN_OPTIONS=suppressions=$SUPPRESSIONS/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=suppressions=$SUPPRESSIONS/tsan.supp:print_suppressions=0:halt_on_error=1
# The OpenMP runtime synchronises by means that the thread sanitizer doesn't know: with one thread there is nothing to synchronise.
export OMP_NUM_THREADS=1

status=0
for preset in "${presets[@]}"; do
  log=build/sanitize-$preset.log
  printf 'sanitize: building the unit tests under %s (details: %s)\n' "$preset" "$log"
  SECONDS=0
  if ! { cmake --preset "$preset" && cmake --build --preset "$preset" -j "$(nproc)"; } > "$log" 2>&1; then
    grep -E 'error:|FAILED:' "$log" | head -n 20 >&2
    printf 'sanitize: the build failed\n' >&2
    exit 1
  fi
  printf 'sanitize: built in %s s\n' "$SECONDS"
  ctest --test-dir "build/$preset" -L unit --output-on-failure --no-tests=error "$@" || status=1
done
exit $status
