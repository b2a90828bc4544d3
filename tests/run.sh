#!/usr/bin/env bash
# Sets openbook up, builds it and runs every test: unit, model and, where a GPU is, gpu. Arguments go to ctest.
#
#   tests/run.sh                  everything
#   tests/run.sh -L unit          what needs no model
#   tests/run.sh -R Citation      by name
#
# Exit status: 0 when every test passed; a test whose model or device is absent is skipped and says why.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cmake/setup.sh
# Model tests use every core themselves and are marked to run alone; see cmake/OpenbookTargets.cmake.
exec ctest --preset release --parallel "$(nproc)" --no-tests=error "$@"
