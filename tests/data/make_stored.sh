#!/usr/bin/env bash
# Makes what one version of openbook stores, for tests/guard/stored_test.cc to open with every later one.
#
#   tests/data/make_stored.sh BIN FOLDER    BIN holds that version's programs `openbook` and `write_models`, e.g. build/release/bin
#
# FOLDER gets
#   index.tar.gz        index/: three documents of one ingest, of which a second one replaced one and removed one; vectors of all-MiniLM-L6-v2
#   log.tar.gz          log/ and log.key: answers, one delivered, one refused, one erased, one interrupted. The key signs nothing but this log.
#   receipts.txt        of these four answers, in that order, as they were printed; of the interrupted one its id alone
#   atlas.json          an atlas of tests/golden/tiny_llama/plain
#   policy.toml         the policy that the log names
# A folder is made once, with the version that it is named after, and never again: what users have stored doesn't change either.
set -euo pipefail
[[ $# == 2 && ! -e $2 ]] || { sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
bin=$(realpath "$1")
golden=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../golden")
mkdir -p "$2"
out=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
umask 022
export OPENBOOK_EMBEDDER=$golden/../../build/models/all-minilm-l6-v2 OMP_NUM_THREADS=1
export -n OPENBOOK_LOG OPENBOOK_LOG_KEY OPENBOOK_MODEL OPENBOOK_ATLAS OPENBOOK_POLICY OPENBOOK_INDEX

mkdir docs
printf -- '# Ferry\n\nThe ferry to Skarholm leaves from pier 3.\n\n## Fares\n\nA ticket costs 14 crowns.\n' > docs/ferry.md
printf 'The library opens at nine. It closes at six.\n' > docs/library.txt
printf 'The old mill is for sale.\n' > docs/mill.txt
"$bin/openbook" ingest docs --index index
printf 'The library opens at ten. It closes at six.\n' > docs/library.txt
rm docs/mill.txt
"$bin/openbook" ingest docs --delete --index index

"$bin/write_models" models
mv models/tiny_llama.atlas.json "$out/atlas.json"
cp "$golden/../../guard/policies/cite-or-refuse.toml" "$out/policy.toml"
printf 'The capital of Norway is Bergen.\n' > norway.md
printf 'Norway is cold.\n' > cold.md
readonly LOG=(--log log --log-key log.key)
"$bin/openbook" log init "${LOG[@]}"

ask() {
  local model=$1 document=$2
  shift 2
  "$bin/openbook" ask 'What is the capital of Norway?' --passage "$document" --model "models/$model" --atlas "models/$model/atlas.json" \
    --policy "$out/policy.toml" "${LOG[@]}" "$@"
}
receipt() { sed -n 's/^receipt: //p'; }

ask capital norway.md | receipt > "$out/receipts.txt"
ask capital cold.md | receipt >> "$out/receipts.txt"
ask capital norway.md | receipt >> "$out/receipts.txt"
erased=$(tail -n 1 "$out/receipts.txt" | cut -d : -f 2)
"$bin/openbook" log erase "$erased" --reason 'asked for by a reader' "${LOG[@]}"
ask endless norway.md --deadline-ms 1 || [[ $? == 1 ]]
"$bin/openbook" log verify "${LOG[@]}" | sed -n 's/^interrupted.*: //p' >> "$out/receipts.txt"
tar -czf "$out/index.tar.gz" index
tar -czf "$out/log.tar.gz" log log.key
