#include "answer_view.h"

#include <algorithm>
#include <map>
#include <optional>

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

// One footnote for each source sentence, in the order of the answer.
struct Footnote {
  const Citation* first;  // to cite it
  std::string text;       // the quote
  ByteSpan quote;         // where it stands: the shortest run that holds what all its citations quote, in the document
  std::optional<double> causal_nats;
  bool causal = false, word_for_word = false;
};

bool one_sentence(const Citation& a, const Citation& b) {
  return a.document_sha256 == b.document_sha256 && a.document_id == b.document_id && a.sentence.begin == b.sentence.begin;
}

struct Footnotes {
  std::vector<Footnote> in_order;
  std::map<int64_t, std::string> marks;  // by the byte of the answer that they stand behind: "[1]"

  explicit Footnotes(const Answer& answer) {
    for (size_t i = 0; i < answer.citations.size(); ++i) {
      const bool supports = std::any_of(answer.claims.begin(), answer.claims.end(), [&](const Claim& claim) {
        return claim.citation == static_cast<int32_t>(i) && claim.support == Support::kSupported;
      });
      if (supports) add(answer.citations[i], answer);
    }
  }

 private:
  void add(const Citation& citation, const Answer& answer) {
    auto note =
        std::find_if(in_order.begin(), in_order.end(), [&](const Footnote& each) { return one_sentence(*each.first, citation); });
    if (note == in_order.end())
      note = in_order.insert(note, {.first = &citation, .text = citation.quote, .quote = citation.source});
    if (note->quote != citation.source) widen(*note, citation);
    if (citation.causal_nats)
      note->causal_nats = std::max(note->causal_nats.value_or(*citation.causal_nats), *citation.causal_nats);
    note->causal = note->causal || citation.causal;
    note->word_for_word =
        note->word_for_word || std::any_of(answer.sentences.begin(), answer.sentences.end(), [&](const auto& each) {
          return each.quoted && each.answer.contains(citation.answer.begin);
        });
    const std::string mark = "[" + std::to_string(note - in_order.begin() + 1) + "]";
    std::string& here = marks[citation.answer.end];
    if (!here.ends_with(mark)) here += mark;
  }

  // A citation's sentence_text holds every quote from its sentence.
  static void widen(Footnote& note, const Citation& citation) {
    note.quote = {std::min(note.quote.begin, citation.source.begin), std::max(note.quote.end, citation.source.end)};
    const int64_t begin = citation.sentence.begin;
    note.text =
        slice(citation.sentence_text, {note.quote.begin - begin, std::min(note.quote.end, citation.sentence.end) - begin});
  }
};

// The delivered text, words painted, footnote marks behind their clauses.
std::string body_of(const Answer& answer, const Footnotes& notes) {
  std::string body;
  int64_t done = 0;
  for (const Word& word : answer.words) {
    body += shown(slice(answer.text, {done, word.answer.begin})) + marked(word, slice(answer.text, word.answer));
    done = word.answer.end;
    if (const auto mark = notes.marks.find(done); mark != notes.marks.end()) body += paint(Style::kFaint, mark->second);
  }
  body += shown(std::string_view(answer.text).substr(done));
  return trimmed(body);
}

// The quote, and under it the sentence where the quote is not all of it.
std::string footnote(size_t number, const Footnote& note) {
  const Citation& citation = *note.first;
  std::string line = "[" + std::to_string(number) + "] " + escape_line(citation.document_id);
  if (citation.line > 0) line += ":" + std::to_string(citation.line);
  line += "  \"" + escape_line(note.text) + "\"";
  if (!citation.cell.empty()) line += "  (" + escape_line(citation.cell) + ")";
  if (note.word_for_word) line += "  (quoted)";
  if (note.causal_nats) {
    char nats[48];
    std::snprintf(nats, sizeof nats, "  (%s, %.1f nats)", note.causal ? "causal" : "not causal", *note.causal_nats);
    line += nats;
  }
  line += "\n";
  const bool whole = citation.sentence_text.starts_with(note.text) && note.text.size() + 1 >= citation.sentence_text.size();
  return whole ? line : line + "    " + paint(Style::kFaint, shown(citation.sentence_text, 4)) + "\n";
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

// "another passage says 3.1 where [1] says 2.8: ver/tent-2025.md"
std::string conflicts_of(const Answer& answer, const Footnotes& notes) {
  std::string text;
  for (const Conflict& conflict : answer.conflicts) {
    const Citation& citation = answer.citations[static_cast<size_t>(conflict.citation)];
    const auto note = std::find_if(notes.in_order.begin(), notes.in_order.end(),
                                   [&](const Footnote& each) { return one_sentence(*each.first, citation); });
    const std::string cited =
        note == notes.in_order.end() ? "a cited sentence" : "[" + std::to_string(note - notes.in_order.begin() + 1) + "]";
    text += paint(Style::kStrong, "conflict:") + " another passage says " + escape_line(conflict.other) + " where " + cited +
            " says " + escape_line(conflict.said) + ": " +
            escape_line(answer.passages[static_cast<size_t>(conflict.passage)].document_id) + ": " +
            escape_line(conflict.sentence_text) + "\n";
  }
  return text;
}

std::string left_out_of(const Answer& answer) {
  if (answer.passages_left_out == 0) return {};
  std::string documents;
  for (const std::string& id : answer.documents_left_out) documents += (documents.empty() ? "" : ", ") + escape_line(id);
  return plural(answer.passages_left_out, "passage") + " had no room in the model's context and took no part: " + documents +
         "\n";
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
  for (size_t i = 0; i < notes.in_order.size(); ++i) text += footnote(i + 1, notes.in_order[i]);
  return text + conflicts_of(answer, notes) + trace_of(answer) + left_out_of(answer);
}

}  // namespace openbook::cli
