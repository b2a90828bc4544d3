#include "answer_view.h"

#include <algorithm>
#include <map>

#include "openbook/base/lines.h"
#include "openbook/base/utf8.h"
#include "terminal.h"

namespace openbook::cli {
namespace {

std::string marked(const Word& word, std::string_view text) {
  const std::string safe = shown(text);
  switch (word.verdict) {
    case Verdict::kCopied:
      return paint(Style::kCopied, safe);
    case Verdict::kRecited:
      return shows_colour() ? paint(Style::kRecited, safe) : "[recited: " + safe + "]";
    case Verdict::kUnchecked:
      return shows_colour() ? paint(Style::kUnchecked, safe) : "[unchecked: " + safe + "]";
    case Verdict::kNeutral:
      return safe;
  }
  return safe;
}

// Without white space around it: models end an answer with empty lines.
std::string trimmed(std::string_view shown_text) {
  return std::string(slice(shown_text, trim(shown_text, {0, static_cast<int64_t>(shown_text.size())})));
}

// Citations by number, in the order of the answer; claims that quote one place share a number.
struct Footnotes {
  std::map<int32_t, size_t> number_of;  // by index into Answer::citations
  std::vector<const Citation*> in_order;

  explicit Footnotes(const Answer& answer) {
    for (const Claim& claim : answer.claims) {
      if (!claim.citation || claim.support != Support::kSupported) continue;
      const Citation& citation = answer.citations[*claim.citation];
      const auto same = std::find_if(in_order.begin(), in_order.end(), [&](const Citation* other) {
        return other->document_sha256 == citation.document_sha256 && other->document_id == citation.document_id &&
               other->source == citation.source;
      });
      number_of[*claim.citation] = static_cast<size_t>(same - in_order.begin()) + 1;
      if (same == in_order.end()) in_order.push_back(&citation);
    }
  }
};

// The delivered text, words painted, citation numbers behind their claims.
std::string body_of(const Answer& answer, const Footnotes& notes) {
  std::map<int64_t, std::string> behind;  // by the byte that the claim ends at
  for (const Claim& claim : answer.claims)
    if (claim.citation && notes.number_of.contains(*claim.citation))
      behind[claim.answer.end] += "[" + std::to_string(notes.number_of.at(*claim.citation)) + "]";
  std::string body;
  int64_t done = 0;
  for (const Word& word : answer.words) {
    body += shown(slice(answer.text, {done, word.answer.begin})) + marked(word, slice(answer.text, word.answer));
    done = word.answer.end;
    if (const auto mark = behind.find(done); mark != behind.end()) body += paint(Style::kFaint, mark->second);
  }
  body += shown(std::string_view(answer.text).substr(done));
  return trimmed(body);
}

std::string footnote(size_t number, const Citation& citation) {
  std::string note = "[" + std::to_string(number) + "] " + escape_line(citation.document_id);
  if (citation.line > 0) note += ":" + std::to_string(citation.line);
  note += "  \"" + escape_line(citation.quote) + "\"";
  if (citation.causal_nats) {
    char nats[48];
    std::snprintf(nats, sizeof nats, "  (%s, %.1f nats)", citation.causal ? "causal" : "not causal", *citation.causal_nats);
    note += nats;
  }
  return note + "\n    " + paint(Style::kFaint, shown(citation.sentence_text, 4)) + "\n";
}

std::string trace_of(const Answer& answer) {
  if (answer.trace.size() < 2) return {};
  std::string text = paint(Style::kFaint, "tried:") + "\n";
  for (const Attempt& attempt : answer.trace) {
    text += "  " + attempt.what + ": ";
    if (!attempt.text.empty()) text += "\"" + trimmed(shown(attempt.text, 4)) + "\" -> ";
    text += escape_line(attempt.outcome) + "\n";
  }
  return text;
}

std::string left_out_of(const Answer& answer) {
  if (answer.passages_left_out == 0) return {};
  return plural(answer.passages_left_out, "passage") + " had no room in the model's context and took no part\n";
}

std::string refusal_text(const Answer& answer) {
  if (answer.outcome == Outcome::kRefused)
    return paint(Style::kStrong, shown(answer.text)) + "\nrefused: " + escape_line(answer.refusal_reason) + "\n";
  return shown(answer.text) + "\nabstained: the model says that the documents do not answer\n";
}

}  // namespace

std::string answer_text(const Answer& answer) {
  if (answer.outcome != Outcome::kAnswered) return refusal_text(answer) + trace_of(answer) + left_out_of(answer);
  const Footnotes notes(answer);
  std::string text = body_of(answer, notes) + "\n";
  if (!notes.in_order.empty()) text += "\n";
  for (size_t i = 0; i < notes.in_order.size(); ++i) text += footnote(i + 1, *notes.in_order[i]);
  return text + trace_of(answer) + left_out_of(answer);
}

}  // namespace openbook::cli
