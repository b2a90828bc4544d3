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

// Picks some heads' values out of what was observed of all heads.
class HeadColumns {
 public:
  HeadColumns(const std::vector<engine::HeadId>& observed, std::vector<engine::HeadId> wanted);

  const std::vector<engine::HeadId>& heads() const { return wanted_; }
  std::vector<float> evidence(const std::vector<float>& of_all) const;
  at::Tensor pattern(const at::Tensor& of_all) const;  // [wanted, keys]

 private:
  std::vector<engine::HeadId> wanted_;
  std::vector<int64_t> columns_;
};

// Logistic probe on the answers' first tokens of the fit split; the regularisation is the one with the best AUC on relations held
// out within it.
Probe fit_verdict_probe(const HeadColumns& columns, const std::vector<LabelledCase>& cases,
                        const std::function<int32_t(const LabelledCase&)>& relation_of);

// Platt scaling and thresholds on the calibrate split, for first and continuation tokens.
void calibrate(Probe& probe, const HeadColumns& columns, const std::vector<LabelledCase>& cases, VerdictThresholds& first_token,
               VerdictThresholds& continuation);

// On the fit split's copied answers; "nowhere" below what nearly all of them reach.
Localizer fit_answer_localizer(const HeadColumns& columns, const std::vector<LabelledCase>& cases);

// The causal nats that 1 % of the calibrate split's recited answers exceed, at least kLeastCausalNats.
double fit_causal_threshold(const engine::Decoder& decoder, const std::vector<LabelledCase>& cases, const ContrastSet& set,
                            uint64_t seed);

// The cosine with the question that the closest sentence of documents about other subjects exceeds in `share` of the calibrate
// split's cases.
double fit_topic_threshold(const Embedder& embedder, const std::vector<LabelledCase>& cases, double share);

// Whether the localizer's place is a token of the answer that was given. Nothing when no passage holds it, or nothing was
// observed.
std::optional<bool> found_place(const Localizer& localizer, const HeadColumns& columns, const ObservedCase& observed);

// On the test split; nothing = all settings pooled.
AtlasValidation validate_setting(const HeadAtlas& atlas, const HeadColumns& probe_columns, const std::vector<LabelledCase>& cases,
                                 std::optional<Setting> setting);

}  // namespace openbook::attribution
