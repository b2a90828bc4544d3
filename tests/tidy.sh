#!/usr/bin/env bash
# Runs clang-tidy (the checks of .clang-tidy) over the project's source files, as many at a time as there are cores. Long: files that
# include libtorch take half a minute each.
#
#   tests/tidy.sh                    every source file
#   tests/tidy.sh retriever guard    those whose path begins with one of these
#
# Exit status: 0 when nothing was found, 1 when something was, 77 without clang++ and clang-tidy.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v clang-tidy > /dev/null || ! command -v clang++ > /dev/null; then
  printf 'tidy: skipped: no clang-tidy and clang++ (on Debian: apt-get install clang clang-tidy)\n'
  exit 77
fi
mkdir -p build/tidy
cmake --preset tidy > build/tidy/configure.log 2>&1 || { tail -n 20 build/tidy/configure.log >&2; exit 1; }

# Files that the build compiles; those of code for CUDA are among them only where nvcc is.
mapfile -t files < <(build/venv/bin/python - "$@" << 'PYTHON'
import json, os, sys
paths = {os.path.relpath(entry["file"]) for entry in json.load(open("build/tidy/compile_commands.json"))}
wanted = tuple(sys.argv[1:]) or ("",)
print("\n".join(sorted(path for path in paths if not path.startswith(("build/", "..")) and path.startswith(wanted))))
PYTHON
)
printf 'tidy: %s files\n' "${#files[@]}"
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy -p build/tidy --quiet 2> build/tidy/tidy.log
