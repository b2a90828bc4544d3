// Sentences that stand in a passage word for word.
//
// What the probe thinks of reading such a sentence is no matter: it is in the documents. The words must be all of a sentence of
// the passage, or all of it between two marks of a clause (comma, semicolon, colon, dash, bracket), so that nothing is cut off
// that changes what is said: "Guests may bring dogs" is not quoted from "Only guests may bring dogs". Punctuation, and a capital
// that only begins a sentence, make no difference. Thread-safe.
#pragma once

#include <optional>
#include <span>

#include "judge/judge.h"

namespace openbook::guard {

// The place of `said` in the passages, on topic where there is a choice. Nothing when it stands nowhere, or holds no word.
std::optional<Source> find_quoted(std::span<const TextWord> said, const JudgeContext& context);

}  // namespace openbook::guard
