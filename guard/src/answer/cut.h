// Cutting a sentence: which of its claims stand, and keeping what is in front of a word. Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "judge/judge.h"

namespace openbook::guard {

// How many of the first claims stand.
int32_t standing_claims(const Judgement& judgement);

// What stands in front of a word of the sentence; all of it in front of the word after the last.
std::string_view text_before(size_t word, const Spoken& spoken, const Judgement& judgement);

// Keeps the words in front of `word`. What is kept was judged and measured already.
void cut_before(size_t word, Spoken& spoken, Judgement& judgement);

// Ends a sentence where it begins to say its last words over again, two of them at least: steering holds the model at the words
// that it is drawn to ("every 15 minutes every 15 minutes").
void end_before_repetition(Spoken& spoken);

}  // namespace openbook::guard
