#include "openbook/attribution/probe.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include "logistic_regression.h"
#include "openbook/base/error.h"

namespace openbook::attribution {
namespace {

[[noreturn]] void refuse(const std::string& message, const std::string& hint = {}) {
  throw Error(Code::kInvalidArgument, message, hint);
}

void require_both_classes(const std::string& who, int64_t copied, int64_t recited) {
  if (copied == 0 || recited == 0)
    refuse(who + ": " + std::to_string(copied) + " copied and " + std::to_string(recited) +
               " recited examples; both kinds are needed",
           "Give examples of the missing kind.");
}

// [example, feature] float64, after checking every row.
at::Tensor stack_features(const std::vector<ProbeExample>& examples) {
  const size_t feature_count = examples.front().features.size();
  at::Tensor features = at::empty({int64_t(examples.size()), int64_t(feature_count)}, at::kDouble);
  double* out = features.data_ptr<double>();
  for (size_t row = 0; row < examples.size(); ++row) {
    const std::vector<float>& of_row = examples[row].features;
    if (of_row.size() != feature_count)
      refuse("fit_probe: example " + std::to_string(row) + " has " + std::to_string(of_row.size()) + " features, expected " +
             std::to_string(feature_count) + " as the first has");
    for (size_t column = 0; column < feature_count; ++column) {
      if (!std::isfinite(of_row[column]))
        refuse("fit_probe: example " + std::to_string(row) + ", feature " + std::to_string(column) + " is not finite");
      *out++ = of_row[column];
    }
  }
  return features;
}

// Half of all weight to each class, and within a class the same to each of its groups.
at::Tensor case_weights(const std::vector<ProbeExample>& examples) {
  std::map<std::pair<bool, int32_t>, int64_t> members;
  std::map<bool, int64_t> class_size, groups;
  for (const ProbeExample& example : examples) {
    ++members[{example.copied, example.group}];
    ++class_size[example.copied];
  }
  require_both_classes("fit_probe", class_size[true], class_size[false]);
  for (const auto& [class_and_group, count] : members) ++groups[class_and_group.first];

  at::Tensor weights = at::empty({int64_t(examples.size())}, at::kDouble);
  for (size_t row = 0; row < examples.size(); ++row) {
    const ProbeExample& example = examples[row];
    const double share = 1.0 / (groups[example.copied] * members[{example.copied, example.group}]);
    weights.data_ptr<double>()[row] = 0.5 * examples.size() * share;
  }
  return weights;
}

std::vector<float> to_floats(const at::Tensor& tensor) {
  const at::Tensor single = tensor.to(at::kFloat).contiguous();
  return {single.data_ptr<float>(), single.data_ptr<float>() + single.numel()};
}

// Continued fraction of the incomplete beta function by the modified Lentz method (DLMF 8.17.22).
double beta_continued_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double numerator = 1;
  double denominator = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double value = denominator;
  for (int m = 1; m <= 10000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double change = 1;
    for (const double term : {even, odd}) {
      denominator = 1 / away_from_zero(1 + term * denominator);
      numerator = away_from_zero(1 + term / numerator);
      change = numerator * denominator;
      value *= change;
    }
    if (std::abs(change - 1) < 1e-15) break;
  }
  return value;
}

// I_x(a, b), regularised.
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  // The fraction converges fast below the mean only; above it the mirrored one does.
  if (x < (a + 1) / (a + b + 2)) return front * beta_continued_fraction(a, b, x) / a;
  return 1 - front * beta_continued_fraction(b, a, 1 - x) / b;
}

}  // namespace

double PlattScaling::probability(double logit) const { return 1 / (1 + std::exp(-(slope * logit + offset))); }

double Probe::logit(const std::vector<float>& features) const {
  if (features.size() != weights.size() || mean.size() != weights.size() || scale.size() != weights.size())
    refuse("probe: " + std::to_string(features.size()) + " features, expected " + std::to_string(weights.size()));
  double sum = bias;
  for (size_t i = 0; i < weights.size(); ++i) sum += double(weights[i]) * (double(features[i]) - mean[i]) / scale[i];
  return sum;
}

double Probe::probability_copied(const std::vector<float>& features, bool first_token_of_word) const {
  return (first_token_of_word ? first_token : continuation).probability(logit(features));
}

Probe fit_probe(const std::vector<ProbeExample>& examples, double l2) {
  if (!(l2 > 0) || !std::isfinite(l2)) refuse("fit_probe: l2 is " + std::to_string(l2) + ", expected a finite number above 0");
  const at::Tensor weights = case_weights(examples);
  const at::Tensor features = stack_features(examples);

  const at::Tensor mean = features.mean(0);
  at::Tensor scale = (features - mean).square().mean(0).sqrt();
  scale.masked_fill_(scale < 1e-12, 1.0);

  const int64_t rows = features.size(0), columns = features.size(1);
  at::Tensor targets = at::empty({rows}, at::kDouble);
  for (int64_t row = 0; row < rows; ++row) targets.data_ptr<double>()[row] = examples[row].copied;
  at::Tensor penalty = at::full({columns + 1}, l2, at::kDouble);
  penalty[columns] = 0;  // the bias is free
  const at::Tensor inputs = at::cat({(features - mean) / scale, at::ones({rows, 1}, at::kDouble)}, 1);
  const at::Tensor found = minimise({inputs, targets, weights, penalty});

  Probe probe;
  probe.mean = to_floats(mean);
  probe.scale = to_floats(scale);
  probe.weights = to_floats(found.narrow(0, 0, columns));
  probe.bias = float(found[columns].item<double>());
  return probe;
}

PlattScaling fit_platt(const std::vector<double>& logits, const std::vector<bool>& copied) {
  if (logits.size() != copied.size())
    refuse("fit_platt: " + std::to_string(logits.size()) + " logits and " + std::to_string(copied.size()) + " labels");
  const auto positives = int64_t(std::count(copied.begin(), copied.end(), true));
  const auto negatives = int64_t(copied.size()) - positives;
  require_both_classes("fit_platt", positives, negatives);

  const auto rows = int64_t(logits.size());
  at::Tensor inputs = at::ones({rows, 2}, at::kDouble);
  at::Tensor targets = at::empty({rows}, at::kDouble);
  for (int64_t row = 0; row < rows; ++row) {
    if (!std::isfinite(logits[row])) refuse("fit_platt: logit " + std::to_string(row) + " is not finite");
    inputs.data_ptr<double>()[2 * row] = logits[row];
    targets.data_ptr<double>()[row] = copied[row] ? (positives + 1.0) / (positives + 2.0) : 1.0 / (negatives + 2.0);
  }
  // Solved on standardised logits, so that their size does not matter to the solver.
  at::Tensor column = inputs.select(1, 0);
  const double mean = column.mean().item<double>();
  const double deviation = column.std(/*unbiased=*/false).item<double>();
  const double scale = deviation > 0 ? deviation : 1;
  column.sub_(mean).div_(scale);
  const at::Tensor found = minimise({inputs, targets, at::ones({rows}, at::kDouble), at::zeros({2}, at::kDouble)});

  PlattScaling scaling;
  scaling.slope = found[0].item<double>() / scale;
  scaling.offset = found[1].item<double>() - scaling.slope * mean;
  return scaling;
}

double roc_auc(const std::vector<double>& scores, const std::vector<bool>& positive) {
  if (scores.size() != positive.size())
    refuse("roc_auc: " + std::to_string(scores.size()) + " scores and " + std::to_string(positive.size()) + " labels");
  for (size_t i = 0; i < scores.size(); ++i)
    if (std::isnan(scores[i])) refuse("roc_auc: score " + std::to_string(i) + " is not a number");
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] < scores[b]; });

  // Mann-Whitney: pairs that stand in the right order, ties half.
  double pairs_won = 0, negatives_below = 0, positives_seen = 0;
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    double tied_positives = 0, tied_negatives = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end)
      ++(positive[order[end]] ? tied_positives : tied_negatives);
    pairs_won += tied_positives * (negatives_below + tied_negatives / 2);
    negatives_below += tied_negatives;
    positives_seen += tied_positives;
    begin = end;
  }
  if (positives_seen == 0 || negatives_below == 0) return std::numeric_limits<double>::quiet_NaN();
  return pairs_won / (positives_seen * negatives_below);
}

double clopper_pearson_upper(int64_t hits, int64_t trials, double confidence) {
  if (hits < 0 || trials < hits || !(confidence > 0 && confidence < 1))
    refuse("clopper_pearson_upper: " + std::to_string(hits) + " hits of " + std::to_string(trials) + " at confidence " +
           std::to_string(confidence) + "; expected 0 <= hits <= trials and 0 < confidence < 1");
  if (hits == trials) return 1;
  // The p at which `hits` or fewer would be seen with probability 1 - confidence: I_p(hits + 1, trials - hits) = confidence.
  double low = 0, high = 1;
  for (int step = 0; step < 200 && high - low > 1e-15; ++step) {
    const double middle = (low + high) / 2;
    (incomplete_beta(hits + 1.0, double(trials - hits), middle) < confidence ? low : high) = middle;
  }
  return high;
}

}  // namespace openbook::attribution
