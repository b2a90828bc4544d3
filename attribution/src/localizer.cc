#include "openbook/attribution/localizer.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "openbook/base/error.h"

namespace openbook::attribution {
namespace {

constexpr int kMaxSteps = 2000;
constexpr double kConverged = 1e-9;  // gain of the mean log share in a step
constexpr double kSmallestShare =
    1e-6;  // of the right keys in an example where no head looks at them: bounds what one odd example can do

[[noreturn]] void refuse(const std::string& message) { throw Error(Code::kInvalidArgument, "localizer: " + message); }

void require_pattern(const at::Tensor& pattern, size_t heads, size_t keys) {
  if (!pattern.defined() || pattern.dim() != 2 || pattern.size(0) != int64_t(heads) || pattern.size(1) != int64_t(keys))
    refuse("pattern is [" +
           (pattern.defined() && pattern.dim() == 2 ? std::to_string(pattern.size(0)) + ", " + std::to_string(pattern.size(1))
                                                    : std::string("not a matrix")) +
           "], expected [" + std::to_string(heads) + " heads, " + std::to_string(keys) + " keys]");
}

at::Tensor key_mask(const std::vector<bool>& candidate) {
  at::Tensor mask = at::zeros({int64_t(candidate.size())}, at::kFloat);
  for (size_t key = 0; key < candidate.size(); ++key) mask.data_ptr<float>()[key] = candidate[key];
  return mask;
}

at::Tensor key_mask(const std::vector<int64_t>& right, const std::vector<bool>& candidate) {
  at::Tensor mask = at::zeros({int64_t(candidate.size())}, at::kFloat);
  for (const int64_t key : right) {
    if (key < 0 || key >= int64_t(candidate.size()) || !candidate[key])
      refuse("right key " + std::to_string(key) + " is not a candidate");
    mask.data_ptr<float>()[key] = 1;
  }
  return mask;
}

// Attention of every head on the right keys and on all candidates, [example, head] float64 each.
struct HeadMass {
  at::Tensor right, candidate;
};

HeadMass head_mass(size_t heads, const std::vector<LocalizerExample>& examples) {
  std::vector<at::Tensor> right, candidate;
  for (const LocalizerExample& example : examples) {
    require_pattern(example.pattern, heads, example.candidate.size());
    if (example.right.empty()) continue;
    const at::Tensor pattern = example.pattern.to(at::kCPU, at::kFloat);
    right.push_back(pattern.mv(key_mask(example.right, example.candidate)));
    candidate.push_back(pattern.mv(key_mask(example.candidate)));
  }
  if (right.empty()) refuse("no example has a right key");
  HeadMass mass{at::stack(right).to(at::kDouble), at::stack(candidate).to(at::kDouble)};
  const double sum = mass.candidate.sum().item<double>();
  if (!std::isfinite(sum) || mass.candidate.min().item<double>() < 0) refuse("an attention is negative or not finite");
  const at::Tensor looked = mass.candidate.sum(1) > 0;  // an example in which no head looks at the passages says nothing
  mass = {mass.right.index({looked}), mass.candidate.index({looked})};
  if (mass.candidate.size(0) == 0) refuse("no head attends to a candidate key in any example");
  mass.right = mass.right + kSmallestShare * mass.candidate;
  return mass;
}

std::vector<float> fit_weights(const HeadMass& mass) {
  at::Tensor weights = at::full({mass.right.size(1)}, 1.0 / mass.right.size(1), at::kDouble);
  double mean_log_share = -INFINITY;
  for (int step = 0; step < kMaxSteps; ++step) {
    const at::Tensor on_right = mass.right.mv(weights).clamp_min(1e-300),
                     on_candidate = mass.candidate.mv(weights).clamp_min(1e-300);
    const double now = (on_right / on_candidate).log().mean().item<double>();
    if (now - mean_log_share < kConverged) break;
    mean_log_share = now;
    const at::Tensor pull = mass.right.t().mv(on_right.reciprocal()), drag = mass.candidate.t().mv(on_candidate.reciprocal());
    weights = weights * pull / drag.clamp_min(1e-300);
    weights = weights / weights.sum();
  }
  const at::Tensor single = weights.to(at::kFloat);
  return {single.data_ptr<float>(), single.data_ptr<float>() + single.numel()};
}

}  // namespace

std::vector<float> Localizer::attention(const at::Tensor& pattern, const std::vector<bool>& candidate) const {
  if (weights.size() != heads.size())
    refuse(std::to_string(weights.size()) + " weights for " + std::to_string(heads.size()) + " heads");
  require_pattern(pattern, heads.size(), candidate.size());
  const at::Tensor rows = pattern.to(at::kCPU, at::kFloat).contiguous();
  std::vector<float> sum(candidate.size(), 0.0f);
  for (size_t head = 0; head < heads.size(); ++head) {
    const float* row = rows.data_ptr<float>() + head * candidate.size();
    for (size_t key = 0; key < candidate.size(); ++key) sum[key] += weights[head] * row[key];
  }
  for (size_t key = 0; key < candidate.size(); ++key)
    if (!candidate[key]) sum[key] = 0;
  return sum;
}

std::optional<Place> Localizer::locate(const std::vector<float>& attention) const {
  const auto best = std::max_element(attention.begin(), attention.end());
  if (best == attention.end() || !(*best > 0) || *best < nowhere_below) return std::nullopt;
  double mass = 0;
  for (const float value : attention) mass += value;
  return Place{.token = best - attention.begin(), .share = float(*best / mass), .mass = float(mass)};
}

Localizer fit_localizer(std::vector<engine::HeadId> heads, const std::vector<LocalizerExample>& examples,
                        double nowhere_quantile) {
  if (heads.empty()) refuse("no heads");
  if (!(nowhere_quantile >= 0 && nowhere_quantile <= 1))
    refuse("nowhere_quantile is " + std::to_string(nowhere_quantile) + ", expected 0..1");
  Localizer localizer;
  localizer.weights = fit_weights(head_mass(heads.size(), examples));
  localizer.heads = std::move(heads);

  std::vector<float> best_of_none;  // the best key of each example that has no right one
  for (const LocalizerExample& example : examples) {
    if (!example.right.empty() || example.candidate.empty()) continue;
    const std::vector<float> attention = localizer.attention(example.pattern, example.candidate);
    best_of_none.push_back(*std::max_element(attention.begin(), attention.end()));
  }
  if (best_of_none.empty()) return localizer;
  std::sort(best_of_none.begin(), best_of_none.end());
  // Just above the last one that must be nowhere, since a place needs attention that is not below the threshold.
  const auto below = size_t(std::ceil(nowhere_quantile * best_of_none.size()));
  if (below > 0) localizer.nowhere_below = std::nextafter(best_of_none[below - 1], INFINITY);
  return localizer;
}

}  // namespace openbook::attribution
