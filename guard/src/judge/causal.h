// Would the model still say the claim without the sentences that it is said to rest on?
//
// causal_nats = log p(claim | passages) - log p(claim | every sentence that holds the quote removed), both unedited and
// teacher-forced. Sentences that repeat the quote go too: with one of them left, nothing would be missing. Removal takes the
// sentences' tokens out of the prompt; what follows moves up. Thread-safe.
#pragma once

#include <span>

#include "judge/judge.h"
#include "openbook/engine/session.h"

namespace openbook::guard {

// Measures the citations of `judgement` in place (Citation::causal_nats, causal). `before` are the answer's tokens in front of
// the sentence.
void measure_causal(Judgement& judgement, const Spoken& spoken, std::span<const engine::TokenId> before,
                    const engine::Prompt& prompt, const engine::Decoder& decoder, double threshold_nats);

// Takes support from the measured claims that are not causal. Of a sentence that stands in a document word for word (function
// words aside) one causal claim is enough: its words belong together, and how well the model could have guessed one of them from
// the others is no matter.
void require_causal(const Spoken& spoken, Judgement& judgement);

// The prompt's tokens without those of every passage sentence that holds `quote`'s words.
std::vector<engine::TokenId> without_quote(const engine::Prompt& prompt, std::string_view quote);

}  // namespace openbook::guard
