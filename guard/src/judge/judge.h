// From watched tokens to words, claims and citations: what design calls verdicts and support, for one sentence.
//
// Ranges in a Judgement count from the sentence's own first byte, token and word; append_to() shifts them into an answer.
// Thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "judge/spoken.h"
#include "judge/topic.h"
#include "openbook/attribution/head_atlas.h"
#include "openbook/guard/answer.h"

namespace openbook::guard {

struct Judgement {
  std::vector<Word> words;
  std::vector<Claim> claims;
  std::vector<Citation> citations;

  bool has(Verdict verdict) const;  // some claim has it
  bool has_supported() const;
  bool read_elsewhere() const;  // a claim was copied from a passage that is not on topic
};

struct JudgeContext {
  const engine::Prompt* prompt;
  const Topic* topic;  // null: nothing is on topic (no passages)
  const attribution::HeadAtlas* atlas;
  std::string_view question;
};

// The words of the first claim that `wanted` accepts and that says more than the question asks: what a reason can name. Nothing
// when there is none.
std::optional<std::string> first_claim_beyond(std::string_view question, const Judgement& judgement, std::string_view text,
                                              const std::function<bool(const Claim&)>& wanted);

// Verdicts from the probe; support from the localizer's place, the quote and the topic.
Judgement judge_by_probe(const Spoken& spoken, const JudgeContext& context);

// For a sentence said under head edits, whose probe reading the edits inflate: a claim counts as copied only where its words
// stand in a passage on topic, those of all claims in one section of a document. Every citation must still prove causal
// (causal.h) before it supports.
Judgement judge_by_quote(const Spoken& spoken, const JudgeContext& context);

// The sentence's tokens for a record; a word's first token carries the probability of a first token.
std::vector<TokenRecord> token_records(const Spoken& spoken, const Judgement& judgement);

// A judged sentence as the trace keeps it; `lacks` as in Attempt.
Attempt attempt_of(std::string what, const Spoken& spoken, const Judgement& judgement, std::string outcome,
                   std::string_view lacks = {});

// Appends a judged sentence to `answer`: its text, tokens, words, claims and citations, shifted.
void append_to(Answer& answer, const Spoken& spoken, const Judgement& judgement, Delivery delivery, bool steered,
               std::string reason);

}  // namespace openbook::guard
