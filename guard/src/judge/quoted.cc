#include "judge/quoted.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

namespace openbook::guard {
namespace {

bool parts_clauses(const TextWord& mark) {
  static const std::set<std::string_view> marks = {",", ";", ":", "(", ")", "\u2013", "\u2014", "\uff0c", "\uff1b", "\uff1a"};
  return mark.punctuation && marks.contains(mark.written);
}

// Whether nothing but other punctuation stands between the word at the edge of `inner` and the sentence's end or a clause's mark.
bool clause_begins_at(std::span<const TextWord> sentence, size_t word) {
  while (word > 0 && sentence[word - 1].punctuation) {
    if (parts_clauses(sentence[word - 1])) return true;
    --word;
  }
  return word == 0;
}

bool clause_ends_behind(std::span<const TextWord> sentence, size_t word) {
  for (++word; word < sentence.size() && sentence[word].punctuation; ++word)
    if (parts_clauses(sentence[word])) return true;
  return word == sentence.size();
}

}  // namespace

std::optional<Source> find_quoted(std::span<const TextWord> said, const JudgeContext& context) {
  std::optional<Source> found;
  for (size_t p = 0; p < context.passages->size(); ++p) {
    const ReadPassage& passage = context.passages->at(p);
    for (const ByteSpan& place : passage.find(said)) {
      const ReadSentence* const sentence = passage.sentence_at(place.begin);
      if (!sentence || sentence->range.end < place.end) continue;
      const auto words = std::span(passage.words()).subspan(sentence->first_word, sentence->words);
      const auto at = [&](auto edge) {
        return static_cast<size_t>(std::find_if(words.begin(), words.end(), edge) - words.begin());
      };
      const size_t first = at([&](const TextWord&word) { return word.bytes.begin == place.begin; }),
                   last = at([&](const TextWord&word) { return word.bytes.end == place.end; });
      if (!clause_begins_at(words, first) || !clause_ends_behind(words, last)) continue;
      const Source source{static_cast<int32_t>(p), place};
      if (context.topic && context.topic->sentence_on_topic(source.passage, sentence->range)) return source;
      if (!found) found = source;
    }
  }
  return found;
}

}  // namespace openbook::guard
