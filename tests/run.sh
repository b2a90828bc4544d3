#!/usr/bin/env bash
# Sets openbook up, builds it and runs every test: unit, model and, where a GPU is, gpu; then, where clang++ is, every fuzz target for
# 20 seconds. Arguments go to ctest, and leave the fuzz targets out.
#
#   tests/run.sh                  everything
#   tests/run.sh -L unit          what needs no model
#   tests/run.sh -R Citation      by name
#
# Exit status: 0 when every test passed; a test whose model or device is absent is skipped and says why.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cmake/setup.sh --tests
# Model tests use every core themselves and are marked to run alone; see cmake/OpenbookTargets.cmake.
status=0
ctest --preset release --parallel "$(nproc)" --no-tests=error "$@" || status=1
if (($# == 0)); then
  tests/fuzz/run.sh 20 || (($? == 77)) || status=1
fi
exit $status
