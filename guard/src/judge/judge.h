// From watched tokens to words, claims and citations: what the glossary calls verdicts and support, for one sentence.
//
// Ranges in a Judgement count from the sentence's own first byte, token and word; append_to() (answer/append.h) shifts them into
// an answer. Thread-safe.
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
#include "text/question.h"
#include "text/read_passage.h"

namespace openbook::guard {

struct Judgement {
  Language language = Language::kUnknown;
  std::vector<TextWord> said;  // the sentence's words, one for each of `words`
  std::vector<Word> words;
  std::vector<Claim> claims;
  std::vector<Citation> citations;  // one for each claim that has a place, in order: where the claim's own words stand
  bool quoted = false;              // the sentence stands in a passage word for word

  bool has(Verdict verdict) const;  // some claim has it
  bool has_supported() const;
  bool read_elsewhere() const;  // a claim was copied from a passage that is not on topic

  void take_support(Claim& claim);  // one of `claims`, which is unchecked from now on, and so are its words
};

struct JudgeContext {
  const engine::Prompt* prompt;
  const std::vector<ReadPassage>* passages;  // the prompt's, in its order
  const Topic* topic;                        // null: nothing is on topic (no passages)
  const attribution::HeadAtlas* atlas;
  const Question* question;
  bool written_elsewhere = false;  // the model reads a text that somebody else wrote, and did not choose its words
};

// The words of the first claim that `wanted` accepts and that says more than the question asks: what a reason can name. Nothing
// when there is none.
std::optional<std::string> first_claim_beyond(const Question& question, const Judgement& judgement, std::string_view text,
                                              const std::function<bool(const Claim&)>& wanted);

// Verdicts from the probe; support from the localizer's place, the quote and the topic; binding words from the cited sentences
// (agreement.h). A sentence that stands in a passage word for word is copied, whatever the probe says (quoted.h). Of a text that
// was written elsewhere a sentence that is not quoted must stand in one sentence of a passage (one_source.h).
Judgement judge_by_probe(const Spoken& spoken, const JudgeContext& context);

// For a sentence said under head edits, whose probe reading the edits inflate: a claim counts as copied only where its words
// stand in a passage on topic, those of all claims in one section of a document. Every citation must still prove causal
// (causal.h) before it supports.
Judgement judge_by_quote(const Spoken& spoken, const JudgeContext& context);

}  // namespace openbook::guard
