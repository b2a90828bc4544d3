// Finds the words of a claim in the passages: every place that says the same, and how much the heads looked there.
//
// Two texts match when their words are the same (text/text_word.h); what punctuation stands between the words is free.
// Thread-safe.
#pragma once

#include <span>
#include <vector>

#include "openbook/engine/prompt.h"
#include "openbook/guard/answer.h"
#include "text/read_passage.h"

namespace openbook::guard {

struct Occurrence {
  Source source;        // passage and bytes of the stored document
  float attention = 0;  // share of the localizer's attention over the passages that falls on its tokens
};

// Every occurrence of the claim's words in the prompt's passages, most attended first. `attention` is TokenObservation::attention
// of the claim's first token (empty: all shares are 0).
std::vector<Occurrence> find_quotes(std::span<const TextWord> claim, const std::vector<ReadPassage>& passages,
                                    const engine::Prompt& prompt, const std::vector<float>& attention);

// The passage token that the heads looked at most; nothing when they looked at none.
std::optional<Source> most_attended(const engine::Prompt& prompt, const std::vector<float>& attention);

}  // namespace openbook::guard
