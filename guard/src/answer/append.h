// A judged sentence becomes part of an answer. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "judge/judge.h"

namespace openbook::guard {

// The sentence's tokens for a record; a word's first token carries the probability of a first token.
std::vector<TokenRecord> token_records(const Spoken& spoken, const Judgement& judgement);

// A judged sentence as the trace keeps it; `lacks` as in Attempt.
Attempt attempt_of(std::string what, const Spoken& spoken, const Judgement& judgement, std::string outcome,
                   std::string_view lacks = {});

// Appends a judged sentence to `answer`: its text, tokens, words and claims, shifted, and its citations: one for each source
// sentence that a clause rests on (clause_citations.h).
void append_to(Answer& answer, const Spoken& spoken, const Judgement& judgement, const std::vector<ReadPassage>& passages,
               Delivery delivery, bool steered, std::string reason);

}  // namespace openbook::guard
