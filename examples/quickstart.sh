#!/usr/bin/env bash
# Sets openbook up and shows on examples/documents what it does with four kinds of answers. Every answer is decoded while you watch.
#
#   examples/quickstart.sh
#
# Run it again at any time: what is set up, indexed and logged already is kept.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The questions were chosen (the last step says how typical they are) so that a small model copies the first answer, recites the second one and finds none for the third.
readonly COPIED="How long does the battery of Tern Gauge 4 last?"
readonly RECITED="Which city is the capital of Italy?" # not the one that examples/documents/news-ferry-mail.md names
readonly UNANSWERED="What is the salary of the chief executive?"

readonly OPENBOOK=build/release/bin/openbook
readonly POLICY=guard/policies/cite-or-refuse.toml
readonly PLACE=build/quickstart
readonly INDEX=$PLACE/index LOG=$PLACE/log KEY=$PLACE/log.key

heading() { printf '\n=== %s\n' "$*"; }

# Prints a command as a user would type it, and runs it. A refusal is a result, so it ends with status 0 like an answer.
show() {
  local words
  printf -v words ' %q' "${@:2}"
  printf '$ openbook%s\n' "${words//\\ / }"
  "$@"
}

# The id of the newest answer in the log.
newest_answer() {
  "$OPENBOOK" log list --log "$LOG" --format json |
    build/venv/bin/python -c 'import json, sys; print(json.load(sys.stdin)["entries"][-1]["answer_id"])'
}

# 75 -> "1 min 15 s".
duration() { printf '%d min %d s' $(($1 / 60)) $(($1 % 60)); }

SECONDS=0
cmake/setup.sh
readonly SETUP_SECONDS=$SECONDS
mkdir -p "$PLACE"
printf '\nThe questions below were chosen to show one case each; the last step prints how often such cases come in data that nobody chose.\n'

heading "Reading the documents of a fictional company"
show "$OPENBOOK" ingest examples/documents --index "$INDEX"
[[ -e $KEY ]] || show "$OPENBOOK" log init --log "$LOG" --log-key "$KEY"
readonly ASK=(--index "$INDEX" --policy "$POLICY" --log "$LOG" --log-key "$KEY")

heading "(a) An answer that is copied from a passage, and cited"
show "$OPENBOOK" ask "$COPIED" "${ASK[@]}"
printf '\nTime: set-up took %s, the first answer was there after %s.\n' "$(duration "$SETUP_SECONDS")" "$(duration "$SECONDS")"

heading "(b) The document says one thing, the model remembers another: unguarded, then guarded"
show "$OPENBOOK" ask "$RECITED" --index "$INDEX" --guard off
show "$OPENBOOK" ask "$RECITED" "${ASK[@]}"
recited_answer=$(newest_answer)

heading "(c) The documents hold no answer"
show "$OPENBOOK" ask "$UNANSWERED" "${ASK[@]}"

heading "(d) What the log can prove about (b)"
show "$OPENBOOK" log show "$recited_answer" --log "$LOG" --log-key "$KEY"
show "$OPENBOOK" log verify --log "$LOG" --log-key "$KEY"

heading "How typical is this?"
printf 'The three questions were CHOSEN to show one case each. How often the model by itself gives the document'"'"'s answer and how often the one of\n'
printf 'its memory was measured on questions that nobody chose for it. From docs/measurements.md:\n\n'
# The record's section: its heading (date, machine, policy), its command, and the rows where the document holds an answer.
awk '/^## /{on = /guard on conflict data/; if (on) print "  " substr($0, 4)}
     on && /^`openbook eval conflict/{sub(/;.*/, "."); print "  " $0 "\n"}
     on && /^\| (setting|own|decoy|bare) /{print "  " $0}' docs/measurements.md
printf '\n  own: the right document. decoy: a second one names the memory'"'"'s answer elsewhere. bare: no instructions, a sentence to be continued.\n'
