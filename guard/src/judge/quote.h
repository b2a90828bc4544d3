// Finds the words of a claim in the passages: every place that says the same, and how much the heads looked there.
//
// Two texts match when their words are equal after case folding; what stands between the words is free. Thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "openbook/engine/prompt.h"
#include "openbook/guard/answer.h"

namespace openbook::guard {

struct Occurrence {
  Source source;        // passage and bytes of the stored document
  float attention = 0;  // share of the localizer's attention over the passages that falls on its tokens
};

// Every occurrence of `claim`'s words in the prompt's passages, most attended first. `attention` is TokenObservation::attention
// of the claim's first token (empty: all shares are 0).
std::vector<Occurrence> find_quotes(std::string_view claim, const engine::Prompt& prompt, const std::vector<float>& attention);

// The passage token that the heads looked at most; nothing when they looked at none.
std::optional<Source> most_attended(const engine::Prompt& prompt, const std::vector<float>& attention);

}  // namespace openbook::guard
