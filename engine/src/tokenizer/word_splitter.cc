#include "tokenizer/word_splitter.h"

#include <algorithm>
#include <utility>

#include "openbook/base/utf8.h"

namespace openbook::engine {
namespace {

// Joins neighbours as `behavior` says; `cuts` keeps what become words.
void join(std::vector<Cut>& cuts, SplitBehavior behavior) {
  if (behavior == SplitBehavior::kIsolated) return;
  if (behavior == SplitBehavior::kRemoved) {
    std::erase_if(cuts, [](const Cut& cut) { return cut.match; });
    return;
  }
  const bool from_right = behavior == SplitBehavior::kMergedWithNext;
  if (from_right) std::reverse(cuts.begin(), cuts.end());
  std::vector<Cut> joined;
  bool match_before = false;
  for (const Cut& cut : cuts) {
    const bool joins = behavior == SplitBehavior::kContiguous ? cut.match == match_before : cut.match && !match_before;
    match_before = cut.match;
    if (!joins || joined.empty())
      joined.push_back(cut);
    else if (from_right)
      joined.back().begin = cut.begin;
    else
      joined.back().end = cut.end;
  }
  if (from_right) std::reverse(joined.begin(), joined.end());
  cuts = std::move(joined);
}

}  // namespace

SplitBehavior split_behavior(const JsonField& name) {
  const std::string text = name.text();
  if (text == "Isolated") return SplitBehavior::kIsolated;
  if (text == "Removed") return SplitBehavior::kRemoved;
  if (text == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (text == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (text == "Contiguous") return SplitBehavior::kContiguous;
  name.unsupported("split behavior " + text);
}

FindCuts matches_of(Pattern pattern, bool inverted) {
  return [pattern = std::move(pattern), inverted](std::string_view word, std::vector<Cut>& cuts) {
    size_t covered = 0;
    for (size_t from = 0; from <= word.size();) {
      const auto match = pattern.next_match(word, from);
      if (!match) break;
      if (covered < match->first) cuts.push_back({covered, match->first, inverted});
      cuts.push_back({match->first, match->second, !inverted});
      covered = from = match->second;
      if (match->first != match->second) continue;
      if (from == word.size()) break;
      from += code_point_at(word, from).length;  // an empty match: look on behind the next code point
    }
    if (covered < word.size()) cuts.push_back({covered, word.size(), inverted});
  };
}

FindCuts characters_that(bool (*matches)(char32_t)) {
  return [matches](std::string_view word, std::vector<Cut>& cuts) {
    size_t covered = 0;
    for (size_t offset = 0; offset < word.size();) {
      const CodePoint point = code_point_at(word, offset);
      offset += point.length;
      if (!matches(point.value)) continue;
      if (covered < point.offset) cuts.push_back({covered, point.offset, false});
      cuts.push_back({point.offset, offset, true});
      covered = offset;
    }
    if (covered < word.size()) cuts.push_back({covered, word.size(), false});
  };
}

void split_words(Words& words, const FindCuts& find_cuts, SplitBehavior behavior) {
  std::vector<ByteSpan> split;
  split.reserve(words.spans.size());
  std::vector<Cut> cuts;
  for (const ByteSpan& span : words.spans) {
    cuts.clear();
    find_cuts(std::string_view(words.text.text()).substr(span.begin, span.size()), cuts);
    join(cuts, behavior);
    for (const Cut& cut : cuts)
      if (cut.begin < cut.end)
        split.push_back({span.begin + static_cast<int64_t>(cut.begin), span.begin + static_cast<int64_t>(cut.end)});
  }
  words.spans = std::move(split);
}

}  // namespace openbook::engine
