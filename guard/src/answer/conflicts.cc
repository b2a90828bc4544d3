#include "answer/conflicts.h"

#include <algorithm>
#include <set>

#include "judge/claims.h"
#include "text/writing.h"

namespace openbook::guard {
namespace {

constexpr double kLeastShared = 0.8;  // of the words of each sentence, beside what differs
constexpr size_t kLeastWords = 2;     // that both have

// What a sentence says, one value or name a word.
struct Statement {
  std::vector<TextWord> content;  // words that claim something, in order
  Language language;
};

Statement statement_of(const ReadPassage& passage, const ReadSentence& sentence) {
  Statement statement{.language = passage.language()};
  for (TextWord& word : with_values(std::span(passage.words()).subspan(sentence.first_word, sentence.words)))
    if (!word.punctuation && !is_binding(word, passage.language()) &&
        !is_neutral_word(word.written, word.begins_sentence, passage.language()))
      statement.content.push_back(std::move(word));
  return statement;
}

bool is_value(const TextWord& word) { return word.value_words > 0 || has_digit(word.folded); }
bool is_name(const TextWord& word) { return !word.begins_sentence && has_capital(word.written); }

std::set<std::string> forms(const Statement& statement) {
  std::set<std::string> all;
  for (const TextWord& word : statement.content) all.insert(word.folded);
  return all;
}

std::vector<const TextWord*> only_in(const Statement& statement, const std::set<std::string>& other) {
  std::vector<const TextWord*> words;
  for (const TextWord& word : statement.content)
    if (!other.contains(word.folded)) words.push_back(&word);
  return words;
}

// The word that stands in front of, or behind, `word` in its statement and in the other one alike: what the value is of.
bool same_neighbour(const Statement& a, const TextWord* word_of_a, const Statement& b, const TextWord* word_of_b) {
  const auto beside = [](const Statement& statement, const TextWord* word, int64_t step) -> const TextWord* {
    const int64_t at = word - statement.content.data() + step;
    return at < 0 || at >= std::ssize(statement.content) ? nullptr : &statement.content[static_cast<size_t>(at)];
  };
  for (const int64_t step : {1, -1}) {
    const TextWord *const of_a = beside(a, word_of_a, step), *const of_b = beside(b, word_of_b, step);
    if (of_a && of_b && of_a->folded == of_b->folded) return true;
  }
  return false;
}

// The two words that contradict each other; nulls when the sentences do not.
std::pair<const TextWord*, const TextWord*> contradiction(const Statement& a, const Statement& b) {
  const std::set<std::string> of_a = forms(a), of_b = forms(b);
  const std::vector<const TextWord*> a_alone = only_in(a, of_b), b_alone = only_in(b, of_a);
  const size_t shared = of_a.size() - std::min(of_a.size(), a_alone.size());
  if (shared < kLeastWords) return {};
  for (const auto kind : {is_value, is_name}) {
    const auto differing = [&](const std::vector<const TextWord*>& alone) -> const TextWord* {
      const auto is_kind = [&](const TextWord* word) { return kind(*word); };
      return std::count_if(alone.begin(), alone.end(), is_kind) == 1 ? *std::find_if(alone.begin(), alone.end(), is_kind)
                                                                     : nullptr;
    };
    const TextWord *const in_a = differing(a_alone), *const in_b = differing(b_alone);
    if (!in_a || !in_b || !same_neighbour(a, in_a, b, in_b)) continue;
    const auto share = [&](const std::set<std::string>& all) {
      return static_cast<double>(shared) / static_cast<double>(std::max<size_t>(all.size() - 1, 1));
    };
    if (share(of_a) >= kLeastShared && share(of_b) >= kLeastShared) return {in_a, in_b};
  }
  return {};
}

const ReadPassage* holder_of(const Citation& citation, const std::vector<ReadPassage>& passages) {
  for (const ReadPassage& passage : passages)
    if (passage.passage().document_id == citation.document_id && passage.passage().document_sha256 == citation.document_sha256 &&
        passage.passage().range.begin <= citation.sentence.begin && citation.sentence.begin < passage.passage().range.end)
      return &passage;
  return nullptr;
}

}  // namespace

std::vector<Conflict> find_conflicts(const Answer& answer, const JudgeContext& context) {
  std::vector<Conflict> conflicts;
  std::set<int64_t> compared;
  for (size_t i = 0; i < answer.citations.size(); ++i) {
    const Citation& citation = answer.citations[i];
    const ReadPassage* const cited = holder_of(citation, *context.passages);
    const ReadSentence* const sentence = cited ? cited->sentence_at(citation.sentence.begin) : nullptr;
    if (!sentence || !compared.insert(sentence->range.begin).second) continue;
    const Statement statement = statement_of(*cited, *sentence);
    for (size_t p = 0; p < context.passages->size(); ++p) {
      const ReadPassage& passage = context.passages->at(p);
      for (const ReadSentence& other : passage.sentences()) {
        const bool same_place = passage.passage().document_sha256 == citation.document_sha256;
        if (same_place || other.heading) continue;
        const Statement against = statement_of(passage, other);
        const auto [here, there] = contradiction(statement, against);
        if (!here || (context.topic && !context.topic->sentence_on_topic(static_cast<int32_t>(p), other.range))) continue;
        conflicts.push_back({.citation = static_cast<int32_t>(i),
                             .said = here->written,
                             .other = there->written,
                             .passage = static_cast<int32_t>(p),
                             .sentence = other.range,
                             .sentence_text = std::string(text_at(passage.passage(), other.range))});
      }
    }
  }
  return conflicts;
}

}  // namespace openbook::guard
