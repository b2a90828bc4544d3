// Would the model still say the claim without the sentences that it is said to rest on?
//
// causal_nats = log p(claim | passages) - log p(claim | every sentence that holds the claim's words removed), both unedited and
// teacher-forced. Sentences that repeat the words go too: with one of them left, nothing would be missing. Removal takes the
// sentences' tokens out of the prompt; what follows moves up. Thread-safe.
#pragma once

#include <span>

#include "judge/judge.h"
#include "openbook/base/cancellation.h"
#include "openbook/engine/session.h"

namespace openbook::guard {

// What the model would be asked with.
struct CausalCheck {
  const engine::Session* session;  // what it has read of the prompt without edits is not read again
  const engine::Prompt* prompt;
  const std::vector<ReadPassage>* passages;  // the prompt's
  double threshold_nats;                     // HeadAtlas::causal_nats
  const Cancellation* cancellation;          // may be null; looked at in every pass
};

// Measures the claims of `judgement` that are cited, in place (Claim::causal_nats, causal). `before` are the answer's tokens in
// front of the sentence. Claims that rest on the same sentences share one pass. Throws cancelled, deadline_exceeded.
void measure_causal(Judgement& judgement, const Spoken& spoken, std::span<const engine::TokenId> before,
                    const CausalCheck& check);

// Takes support from the measured claims that are not causal. Of a sentence that stands in a document word for word (function
// words aside) one causal claim is enough: its words belong together, and how well the model could have guessed one of them from
// the others is no matter.
void require_causal(Judgement& judgement);

// Every sentence of the passages that holds the words, in order.
std::vector<Source> sentences_that_hold(std::span<const TextWord> words, const std::vector<ReadPassage>& passages);

// The prompt's tokens without those of the sentences.
std::vector<engine::TokenId> without(const engine::Prompt& prompt, const std::vector<Source>& sentences);

}  // namespace openbook::guard
