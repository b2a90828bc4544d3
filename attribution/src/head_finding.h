// Scores every head on observed cases: open-book ones, which gave the document's answer, and closed-book ones, which gave
// memory's.
#pragma once

#include <functional>
#include <vector>

#include "case_runner.h"
#include "needle_scores.h"
#include "openbook/attribution/head_roles.h"
#include "openbook/attribution/relevance.h"

namespace openbook::attribution {

// `after_each` is called with the number of cases done.
HeadScores score_heads(const Relevance& relevance, const engine::ModelConfig& config,
                       const std::vector<const ObservedCase*>& open_book, const std::vector<const ObservedCase*>& closed_book,
                       const std::function<void(int64_t)>& after_each);

// Needles for needle_scores: the answer in the subject's document, which stands among those of other subjects, at another place
// in every case. A trial is kept when the model gives more than half of the answer.
struct AnswerTrials {
  std::vector<NeedleTrial> trials;
  std::vector<std::string> answers;  // one a trial
};
AnswerTrials answer_trials(const engine::Model& model, const ContrastSet& set, const std::vector<const ObservedCase*>& open_book,
                           uint64_t seed);
NeedleScores score_needles(const engine::Decoder& decoder, const AnswerTrials& trials,
                           const std::function<void(int64_t)>& after_each, const Cancellation* cancellation);

}  // namespace openbook::attribution
