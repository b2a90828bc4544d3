// Copied or recited: a logistic regression on the retrieval heads' evidence and on the localizer's echo. It is calibrated by
// Platt's method, separately for the first tokens of words and for their continuation tokens.
//
// Thread-safe: plain data. Errors: invalid_argument where sizes disagree, a class is missing or a number is not finite.
//
//   Probe probe = fit_probe(fit_examples, /*l2=*/1.0);
//   probe.first_token = fit_platt(calibration_logits, calibration_copied);
//   double p = probe.probability_copied(features, /*first_token_of_word=*/true);
#pragma once

#include <cstdint>
#include <vector>

#include "openbook/engine/head_id.h"

namespace openbook::attribution {

// p = 1 / (1 + exp(-(slope * logit + offset))) (Platt 1999).
struct PlattScaling {
  double slope = 1;
  double offset = 0;

  double probability(double logit) const;
};

struct Probe {
  std::vector<engine::HeadId> heads;  // their evidence are the features, in this order; the last feature is the echo
  std::vector<float> mean, scale;     // features are standardised: (f - mean) / scale
  std::vector<float> weights;         // of the standardised features
  float bias = 0;
  PlattScaling first_token, continuation;

  double logit(const std::vector<float>& features) const;  // before calibration
  double probability_copied(const std::vector<float>& features, bool first_token_of_word) const;
};

struct ProbeExample {
  std::vector<float> features;
  bool copied = false;
  int32_t group = 0;  // e.g. the relation
};

// Minimises sum_n c_n * log-loss_n + l2 / 2 * |weights|^2 over weights and bias (the bias is free) by Newton's method with line
// search: scikit-learn's LogisticRegression with C = 1 / l2. The case weights c_n sum to the number of examples, half in each
// class, and every group has the same share of its class, so that a relation with many facts does not outvote one with few.
// Features are standardised by their plain mean and standard deviation; a feature that never varies gets scale 1. `l2` must be
// above 0, because separable classes have no optimum without it. The probe's `heads` are left empty: the caller knows whose
// evidence the features are.
Probe fit_probe(const std::vector<ProbeExample>& examples, double l2);

// Logistic regression on the logit alone, without regularisation. Its targets are (N+ + 1) / (N+ + 2) and 1 / (N- + 2) instead of
// 1 and 0 (Platt 1999), which keeps it finite when the classes are separable. Classes count by their sizes here, so the result is
// the probability under the given mixture.
PlattScaling fit_platt(const std::vector<double>& logits, const std::vector<bool>& copied);

// Area under the ROC curve, ties counted half; NaN when a class is missing.
double roc_auc(const std::vector<double>& scores, const std::vector<bool>& positive);

// Upper end of the one-sided Clopper-Pearson interval for `hits` of `trials` at `confidence`. It is 1 when every trial is a hit
// and when there are no trials.
double clopper_pearson_upper(int64_t hits, int64_t trials, double confidence = 0.95);

}  // namespace openbook::attribution
