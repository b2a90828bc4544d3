// Copied or recited: logistic regression on the heads' evidence, calibrated by Platt's method, first tokens of a word and continuation
// tokens apart.
//
// Thread-safe: plain data.
#pragma once

#include <cstdint>
#include <vector>

#include "openbook/engine/head_id.h"

namespace openbook::attribution {

// p = 1 / (1 + exp(-(slope * logit + offset))) (Platt 1999).
struct PlattScaling {
  double slope = 1;
  double offset = 0;
};

struct Probe {
  std::vector<engine::HeadId> heads;   // the features, in this order
  std::vector<float> mean, scale;      // features are standardised: (f - mean) / scale
  std::vector<float> weights;          // of the standardised features
  float bias = 0;
  PlattScaling first_token, continuation;

  double logit(const std::vector<float>& evidence) const;                    // before calibration
  double probability_copied(const std::vector<float>& evidence, bool first_token_of_word) const;
};

struct ProbeExample {
  std::vector<float> evidence;
  bool copied = false;
  int32_t group = 0;  // e.g. the relation; weights each group alike when > 0 groups are given
};

// L2-regularised logistic regression (`l2` on standardised weights, bias free) by Newton's method with line search. Classes weigh the same in sum. Throws
// invalid_argument when a class is missing or a feature is not finite.
Probe fit_probe(std::vector<engine::HeadId> heads, const std::vector<ProbeExample>& examples, double l2);

// Throws invalid_argument when a class is missing.
PlattScaling fit_platt(const std::vector<double>& logits, const std::vector<bool>& copied);

// Area under the ROC curve, ties counted half; NaN when a class is missing.
double roc_auc(const std::vector<double>& scores, const std::vector<bool>& positive);

// Upper end of the one-sided Clopper-Pearson interval for `hits` of `trials` at `confidence` (0.95).
double clopper_pearson_upper(int64_t hits, int64_t trials, double confidence = 0.95);

}  // namespace openbook::attribution
