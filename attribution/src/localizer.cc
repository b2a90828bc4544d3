#include "openbook/attribution/localizer.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "openbook/base/error.h"

namespace openbook::attribution {
namespace {

constexpr int kMaxSteps = 2000;
constexpr double kConverged = 1e-9;  // gain of the mean log probability in a step
constexpr double kShortestStep = 1e-12;
constexpr double kPenalty = 1e-4;  // keeps the weights finite where some head is always right

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

// Every candidate key of every example, as rows: attention of each head, the example it belongs to, right or
// not.
struct Keys {
  at::Tensor attention;  // [keys, heads] float64
  at::Tensor example;    // [keys] int64
  at::Tensor right;      // [keys] bool
  int64_t examples = 0;
};

Keys keys_of(size_t heads, const std::vector<LocalizerExample>& examples) {
  std::vector<at::Tensor> attention, example_of, right;
  Keys keys;
  for (const LocalizerExample& example : examples) {
    require_pattern(example.pattern, heads, example.candidate.size());
    if (example.right.empty()) refuse("an example has no right key");
    const at::Tensor mask = key_mask(example.right, example.candidate).to(at::kBool);
    const at::Tensor rows = key_mask(example.candidate).nonzero().squeeze(1);
    const at::Tensor chosen = example.pattern.to(at::kCPU, at::kDouble).index_select(1, rows).t();
    if (!chosen.isfinite().all().item<bool>() || chosen.min().item<double>() < 0)
      refuse("an attention is negative or not finite");
    if (chosen.max().item<double>() == 0) continue;  // no head looks at the passages: says nothing
    attention.push_back(chosen);
    example_of.push_back(at::full({rows.size(0)}, keys.examples++, at::kLong));
    right.push_back(mask.index_select(0, rows));
  }
  if (attention.empty()) refuse(examples.empty() ? "no examples" : "no head attends to a candidate key in any example");
  keys.attention = at::cat(attention).contiguous();
  keys.example = at::cat(example_of);
  keys.right = at::cat(right);
  return keys;
}

struct Objective {
  double value;
  at::Tensor gradient;  // [heads]
};

// Mean log probability of the right keys less the penalty, at `weights`.
Objective objective_at(const Keys& keys, const at::Tensor& weights) {
  const at::Tensor score = keys.attention.mv(weights);
  const auto log_sums = [&](const at::Tensor& values) {  // [examples]
    const at::Tensor highest =
        at::full({keys.examples}, -INFINITY, values.options()).scatter_reduce(0, keys.example, values, "amax");
    const at::Tensor sums = at::zeros({keys.examples}, values.options())
                                .scatter_add(0, keys.example, (values - highest.index_select(0, keys.example)).exp());
    return sums.log() + highest;
  };
  const at::Tensor of_right = score.masked_fill(keys.right.logical_not(), -INFINITY);
  const at::Tensor all = log_sums(score), right = log_sums(of_right);
  const at::Tensor pull =
      (of_right - right.index_select(0, keys.example)).exp() - (score - all.index_select(0, keys.example)).exp();
  const auto count = static_cast<double>(keys.examples);
  return {((right - all).sum() / count - kPenalty / 2 * weights.square().sum()).item<double>(),
          keys.attention.t().mv(pull) / count - kPenalty * weights};
}

// Projected gradient ascent with a step that grows while it helps and is halved until it does.
std::vector<float> fit_weights(const Keys& keys) {
  at::Tensor weights = at::ones({keys.attention.size(1)}, at::kDouble);
  Objective now = objective_at(keys, weights);
  double length = 1;
  for (int step = 0; step < kMaxSteps && length > kShortestStep; ++step) {
    const at::Tensor moved = (weights + length * now.gradient).clamp_min(0);
    Objective next = objective_at(keys, moved);
    if (next.value <= now.value) {
      length /= 2;
      continue;
    }
    const double gain = next.value - now.value;
    weights = moved;
    now = std::move(next);
    length *= 1.5;
    if (gain < kConverged) break;
  }
  const double sum = weights.sum().item<double>();
  if (!(sum > 0)) refuse("no head looks more at right keys than at others");
  const at::Tensor single = (weights / sum).to(at::kFloat);
  return {single.data_ptr<float>(), single.data_ptr<float>() + single.numel()};
}

// sum_h w_h * pattern[h]: [keys]. On a device the rows are weighed there: they are many times their sum to send.
std::vector<float> weighed(const at::Tensor& pattern, const std::vector<float>& weights) {
  const auto keys = static_cast<size_t>(pattern.size(1));
  if (!pattern.is_cpu()) {
    const at::Tensor sum = pattern.t().to(at::kFloat).mv(at::tensor(weights).to(pattern.device())).to(at::kCPU);
    return {sum.const_data_ptr<float>(), sum.const_data_ptr<float>() + keys};
  }
  const at::Tensor rows = pattern.to(at::kFloat).contiguous();
  std::vector<float> sum(keys);
  for (size_t head = 0; head < weights.size(); ++head) {
    const float* row = rows.const_data_ptr<float>() + head * keys;
    for (size_t key = 0; key < keys; ++key) sum[key] += weights[head] * row[key];
  }
  return sum;
}

}  // namespace

Look Localizer::look(const at::Tensor& pattern, const std::vector<bool>& candidate, const std::vector<bool>& alike) const {
  if (weights.size() != heads.size())
    refuse(std::to_string(weights.size()) + " weights for " + std::to_string(heads.size()) + " heads");
  require_pattern(pattern, heads.size(), candidate.size());
  if (alike.size() != candidate.size())
    refuse(std::to_string(alike.size()) + " spellings, expected " + std::to_string(candidate.size()) + ", one a key");
  Look look{.attention = weighed(pattern, weights)};
  float to_alike = 0;
  for (size_t key = 0; key < candidate.size(); ++key) {
    if (!candidate[key]) look.attention[key] = 0;
    if (!alike[key]) continue;
    to_alike += look.attention[key];
    look.attention[key] *= kAlike;
  }
  look.echo = std::sqrt(to_alike);
  return look;
}

float Localizer::echo(const std::vector<float>& attention_to_alike) const {
  if (attention_to_alike.size() != weights.size())
    refuse(std::to_string(attention_to_alike.size()) + " heads' attention for " + std::to_string(weights.size()) + " weights");
  float sum = 0;
  for (size_t head = 0; head < weights.size(); ++head) sum += weights[head] * attention_to_alike[head];
  return std::sqrt(sum);
}

std::optional<int64_t> Localizer::locate(const std::vector<float>& attention) const {
  const std::optional<int64_t> key = best(attention);
  return key && attention[static_cast<size_t>(*key)] >= nowhere_below ? key : std::nullopt;
}

std::optional<int64_t> Localizer::best(const std::vector<float>& attention) {
  const auto most = std::max_element(attention.begin(), attention.end());
  if (most == attention.end() || !(*most > 0)) return std::nullopt;
  return most - attention.begin();
}

Localizer fit_localizer(std::vector<engine::HeadId> heads, const std::vector<LocalizerExample>& examples, double lost) {
  if (heads.empty()) refuse("no heads");
  if (!(lost >= 0 && lost < 1)) refuse("the share that may be lost is " + std::to_string(lost) + ", expected 0 to less than 1");
  Localizer localizer;
  localizer.weights = fit_weights(keys_of(heads.size(), examples));
  localizer.heads = std::move(heads);

  std::vector<float> best;
  for (const LocalizerExample& example : examples) {
    const std::vector<float> attention = localizer.look(example.pattern, example.candidate, example.alike).attention;
    best.push_back(*std::max_element(attention.begin(), attention.end()));
  }
  std::sort(best.begin(), best.end());
  localizer.nowhere_below = best[static_cast<size_t>(lost * static_cast<double>(best.size()))];
  return localizer;
}

}  // namespace openbook::attribution
