// Cuts words at the matches of a pattern or of a class of characters.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "tokenizer/pattern.h"
#include "tokenizer/pre_tokenizer.h"

namespace openbook::engine {

// What becomes of a match: a word of its own, nothing, the end or the start of its neighbour, or one word with adjacent matches.
enum class SplitBehavior { kIsolated, kRemoved, kMergedWithPrevious, kMergedWithNext, kContiguous };

SplitBehavior split_behavior(const JsonField& name);

struct Cut {
  size_t begin, end;
  bool match;
};

// Appends cuts that cover `word` without gaps: matches and what stands between them.
using FindCuts = std::function<void(std::string_view word, std::vector<Cut>&)>;

FindCuts matches_of(Pattern pattern, bool inverted = false);
FindCuts characters_that(bool (*matches)(char32_t));

void split_words(Words& words, const FindCuts& find_cuts, SplitBehavior behavior);

}  // namespace openbook::engine
