// From labelled cases to numbers: the probe, its thresholds, the localizer, the causal and the topic threshold, and their
// validation.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "contrast_runs.h"
#include "openbook/attribution/head_atlas.h"
#include "openbook/base/embedder.h"

namespace openbook::attribution {

// Picks some heads' values out of what was observed of all heads of a model with `heads_per_layer`.
class HeadColumns {
 public:
  HeadColumns(int64_t heads_per_layer, const std::vector<engine::HeadId>& wanted);

  std::vector<float> of(const std::vector<float>& all) const;
  at::Tensor of(const at::Tensor& all) const;  // [wanted, keys]

 private:
  std::vector<int64_t> columns_;
};

// What the probe reads of an answer's tokens: the evidence of its heads, then the localizer's echo.
class ProbeFeatures {
 public:
  ProbeFeatures(int64_t heads_per_layer, std::vector<engine::HeadId> heads, const Localizer& localizer);

  const std::vector<engine::HeadId>& heads() const { return heads_; }
  std::vector<float> of(const ObservedCase& observed, size_t token = 0) const;  // of the answer's tokens, the first by default
  std::vector<float> of(const std::vector<float>& evidence_of_all, float echo) const;

 private:
  std::vector<engine::HeadId> heads_;
  HeadColumns evidence_, attention_;
  Localizer localizer_;
};

// On the fit split's copied answers.
Localizer fit_answer_localizer(int64_t heads_per_layer, const std::vector<engine::HeadId>& heads,
                               const std::vector<LabelledCase>& cases);

// What the localizer sees when the answer's first token is chosen. Needs an observed case with passages.
Look look_at(const Localizer& localizer, int64_t heads_per_layer, const ObservedCase& observed);

// The regularisation is the strongest of those whose AUC on relations, the examples' groups, that are held out in turn is as good
// as the best: weights that lean on few heads carry over worse to other documents.
Probe fit_probe_by_relation(const std::vector<ProbeExample>& examples);

// That on the answers' first tokens of the fit split. Answers that were recited without a passage on the subject are the easy
// ones: of them as many take part, at most, as were recited in front of one (all, where a model never does that).
Probe fit_verdict_probe(const ProbeFeatures& features, const std::vector<LabelledCase>& cases,
                        const std::function<int32_t(const LabelledCase&)>& relation_of);

// Platt scaling and thresholds on the calibrate split, for first and continuation tokens. Where answers have so few tokens that
// a kind of continuation is missing, those of first tokens serve for both.
void calibrate(Probe& probe, const ProbeFeatures& features, const std::vector<LabelledCase>& cases,
               VerdictThresholds& first_token, VerdictThresholds& continuation);

// The causal nats that 1 % of the calibrate split's recited answers exceed, at least kLeastCausalNats.
double fit_causal_threshold(const engine::Decoder& decoder, const std::vector<LabelledCase>& cases, const ContrastSet& set,
                            uint64_t seed);

// The cosine with the question that the closest sentence of documents about other subjects exceeds in `share` of the calibrate
// split's cases.
double fit_topic_threshold(const Embedder& embedder, const std::vector<LabelledCase>& cases, double share);

// Whether the localizer's place is a token of the answer that was given. Nothing when no passage holds it, or nothing was
// observed.
std::optional<bool> found_place(const Localizer& localizer, int64_t heads_per_layer, const ObservedCase& observed);

// On the test split, by the atlas's probe and localizer; nothing = all settings pooled.
AtlasValidation validate_setting(const HeadAtlas& atlas, const std::vector<LabelledCase>& cases, std::optional<Setting> setting);

}  // namespace openbook::attribution
