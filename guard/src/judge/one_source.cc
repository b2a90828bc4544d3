#include "judge/one_source.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "judge/claims.h"
#include "judge/lead_in.h"

namespace openbook::guard {
namespace {

using Words = std::span<const TextWord>;

bool is_content(const TextWord& word, Language language) {
  return !word.punctuation && !is_binding(word, language) && !is_neutral_word(word.written, word.begins_sentence, language);
}

bool parts_clauses(const TextWord& word) {
  static const std::set<std::string_view> parting = {",", ";", ":",    "and", "or",   "but", "y",  "e",
                                                     "o", "u", "pero", "und", "oder", "et",  "ou", "mais"};
  return parting.contains(word.folded);
}

// Whether a sentence begins with a pronoun that stands for a subject named before.
bool points_back(Words sentence) {
  static const std::set<std::string_view> pronouns = {"it",    "its",  "he",    "his",   "she", "her", "they", "their", "this",
                                                      "these", "ella", "ellos", "ellas", "su",  "sus", "este", "esta"};
  const auto first = std::find_if(sentence.begin(), sentence.end(), [](const TextWord& word) { return !word.punctuation; });
  return first != sentence.end() && pronouns.contains(first->folded) && !first->spelt_as_name;
}

// Whether the words stand in `sentence` one after another, with nothing between two of them that claims something. `begins`: they
// must also begin it, or a clause of it that goes on with the same subject.
bool stand_together(const std::vector<const TextWord*>& words, Words sentence, Language language, bool begins) {
  bool begun = true;  // nothing was claimed since the sentence began, or since "and"
  for (size_t first = 0; first < sentence.size(); ++first) {
    if (parts_clauses(sentence[first])) begun = true;
    if (!is_content(sentence[first], language)) continue;
    const bool may_begin = !begins || std::exchange(begun, false);
    size_t matched = 0;
    for (size_t at = first; at < sentence.size() && matched < words.size(); ++at) {
      if (same_word(sentence[at], *words[matched]))
        ++matched;
      else if (parts_clauses(sentence[at]) || is_content(sentence[at], language))
        break;
    }
    if (may_begin && matched == words.size()) return true;
  }
  return false;
}

bool holds(Words words, const TextWord& wanted) {
  return std::any_of(words.begin(), words.end(), [&](const TextWord& word) { return same_word(word, wanted); });
}

}  // namespace

std::optional<Source> find_one_source(std::span<const TextWord> said, Language language, const JudgeContext& context) {
  std::vector<const TextWord*> content;
  for (size_t i = lead_in(said, language); i < said.size(); ++i)
    if (is_content(said[i], language)) content.push_back(&said[i]);
  for (size_t p = 0; p < context.passages->size(); ++p) {
    const ReadPassage& passage = context.passages->at(p);
    for (const ReadSentence& sentence : passage.sentences()) {
      const Words words = Words(passage.words()).subspan(sentence.first_word, sentence.words);
      std::vector<const TextWord*> here;
      std::vector<const TextWord*> above;
      for (const TextWord* const word : content) (holds(words, *word) ? here : above).push_back(word);
      if (here.empty()) continue;
      const bool carried = points_back(words) && std::all_of(above.begin(), above.end(), [&](const TextWord* word) {
                             return context.topic && context.topic->stands_above(static_cast<int32_t>(p), sentence.range, *word);
                           });
      if ((above.empty() || carried) && stand_together(here, words, passage.language(), !above.empty()))
        return Source{static_cast<int32_t>(p), sentence.range};
    }
  }
  return std::nullopt;
}

}  // namespace openbook::guard
