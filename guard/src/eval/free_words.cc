#include "eval/free_words.h"

#include <algorithm>
#include <set>
#include <string>

#include "openbook/base/language.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"
#include "text/writing.h"

namespace openbook::guard {
namespace {

constexpr size_t kGram = 3;  // words in a row

bool is_punctuation(std::string_view word) { return !is_letter_or_digit(code_point_at(word, 0).value); }

// Where English writes a capital whatever the word: after a line break or any mark but a comma.
bool capital_is_due(std::string_view answer, ByteSpan word, int64_t previous_end, bool after_mark) {
  return previous_end == 0 || after_mark || slice(answer, {previous_end, word.begin}).find('\n') != std::string_view::npos;
}

using Grams = std::set<std::vector<std::string>>;

void add_grams(const std::vector<std::string>& words, Grams& grams) {
  for (size_t i = 0; i + kGram <= words.size(); ++i) grams.insert({words.begin() + i, words.begin() + i + kGram});
}

// Sorted, and those that touch or overlap made one.
std::vector<ByteSpan> merged(std::vector<ByteSpan> spans) {
  std::sort(spans.begin(), spans.end(), [](ByteSpan a, ByteSpan b) { return a.begin < b.begin; });
  std::vector<ByteSpan> whole;
  for (const ByteSpan& span : spans) {
    if (span.empty()) continue;
    if (!whole.empty() && span.begin <= whole.back().end)
      whole.back().end = std::max(whole.back().end, span.end);
    else
      whole.push_back(span);
  }
  return whole;
}

int64_t bytes_of(const std::vector<ByteSpan>& spans) {
  int64_t bytes = 0;
  for (const ByteSpan& span : spans) bytes += span.size();
  return bytes;
}

}  // namespace

std::vector<TextWord> describe_words(const FreeAnswer& answer, const std::vector<ByteSpan>& words) {
  std::set<std::string> passage_words, question_words;
  Grams passage_grams;
  for (const Passage& passage : answer.passages) {
    const std::vector<std::string> folded = folded_words(passage.text);
    passage_words.insert(folded.begin(), folded.end());
    add_grams(folded, passage_grams);
  }
  for (std::string& word : folded_words(answer.question)) question_words.insert(std::move(word));
  const Language language = language_of(answer.question + " " + answer.answer);

  std::vector<TextWord> described;
  std::vector<std::string> said;
  int64_t previous_end = 0;
  bool after_mark = false;
  for (const ByteSpan& span : words) {
    const std::string_view written = slice(answer.answer, span);
    if (!is_punctuation(written)) {
      said.push_back(fold_case(written));
      TextWord word{.bytes = span, .content = !is_function_word(said.back(), language), .number = has_digit(written)};
      word.name = has_capital(written) && !capital_is_due(answer.answer, span, previous_end, after_mark);
      word.in_passages = passage_words.contains(said.back());
      word.known = word.in_passages || question_words.contains(said.back());
      described.push_back(word);
    }
    after_mark = is_punctuation(written) && written != ",";
    previous_end = span.end;
  }
  for (size_t i = 0; i + kGram <= said.size(); ++i)
    if (passage_grams.contains({said.begin() + i, said.begin() + i + kGram}))
      for (size_t j = i; j < i + kGram; ++j) described[j].in_trigram = true;
  return described;
}

std::string_view text_kind_name(TextKind kind) {
  switch (kind) {
    case TextKind::kParaphrase:
      return "paraphrase";
    case TextKind::kNumber:
      return "number";
    case TextKind::kName:
      return "name";
    case TextKind::kAddition:
      return "addition";
  }
  return "";
}

TextKind kind_of(const std::vector<TextWord>& words, ByteSpan piece) {
  bool added = false, number = false, name = false;
  for (const TextWord& word : words) {
    if (!word.bytes.overlaps(piece) || word.known || !word.content) continue;
    added = true;
    number |= word.number;
    name |= word.name;
  }
  return !added ? TextKind::kParaphrase : number ? TextKind::kNumber : name ? TextKind::kName : TextKind::kAddition;
}

ByteOverlap overlap_of(std::vector<ByteSpan> flagged, std::vector<ByteSpan> labelled) {
  flagged = merged(std::move(flagged));
  labelled = merged(std::move(labelled));
  ByteOverlap overlap{.flagged = bytes_of(flagged), .labelled = bytes_of(labelled)};
  for (size_t i = 0, j = 0; i < flagged.size() && j < labelled.size();) {
    overlap.both +=
        std::max<int64_t>(0, std::min(flagged[i].end, labelled[j].end) - std::max(flagged[i].begin, labelled[j].begin));
    flagged[i].end < labelled[j].end ? ++i : ++j;
  }
  return overlap;
}

}  // namespace openbook::guard
