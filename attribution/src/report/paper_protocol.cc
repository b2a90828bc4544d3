#include "report/paper_protocol.h"

#include <ATen/ATen.h>

#include <numeric>

#include "calibration.h"
#include "report/auc_figure.h"

namespace openbook::attribution {
namespace {

constexpr size_t kFewestPrompts = 10;

// Prompts whose ten likeliest next tokens hold both answers' first one.
struct Candidates {
  std::vector<std::string> subjects;
  std::vector<std::vector<float>> contextual, parametric;  // [prompt] features
};

Candidates candidates_of(const HeadColumns& columns, const TrackedSets& sets, const std::string& set, Split split) {
  Candidates found;
  for (const TrackedAnswer& each : sets.answers) {
    if (each.set != set || each.split != split || each.contextual.empty() || each.setting != Setting::kOwn) continue;
    found.subjects.push_back(each.subject);
    found.contextual.push_back(columns.of(each.contextual));
    found.parametric.push_back(columns.of(each.parametric));
  }
  return found;
}

// Weights of the features, toward 1 for contextual and 0 for parametric candidates; the bias, the same for all, is left away.
at::Tensor fit_least_squares(const Candidates& fit) {
  std::vector<at::Tensor> rows;
  for (const auto* candidates : {&fit.contextual, &fit.parametric})
    for (const std::vector<float>& features : *candidates) rows.push_back(at::tensor(features, at::kDouble));
  const auto prompts = static_cast<int64_t>(fit.subjects.size());
  const at::Tensor inputs = at::cat({at::stack(rows), at::ones({2 * prompts, 1}, at::kDouble)}, 1);
  const at::Tensor targets = at::cat({at::ones({prompts}, at::kDouble), at::zeros({prompts}, at::kDouble)});
  return at::linalg_pinv(inputs, 1e-12).mv(targets).narrow(0, 0, inputs.size(1) - 1);
}

}  // namespace

std::optional<std::vector<float>> paper_weights(const Laboratory& laboratory, const TrackedSets& sets) {
  const HeadColumns columns(laboratory.atlas->heads, laboratory.atlas->probe.heads);
  const Candidates fit = candidates_of(columns, sets, "own relations", Split::kFit);
  if (fit.subjects.size() < kFewestPrompts) return std::nullopt;
  const at::Tensor weights = fit_least_squares(fit).to(at::kFloat).contiguous();
  return std::vector<float>(weights.const_data_ptr<float>(), weights.const_data_ptr<float>() + weights.numel());
}

void follow_the_paper(const Laboratory& laboratory, const TrackedSets& sets, Json& part) {
  const HeadColumns columns(laboratory.atlas->heads, laboratory.atlas->probe.heads);
  const std::optional<std::vector<float>> weights = paper_weights(laboratory, sets);
  if (!weights) {
    part["left_out"].push_back("the paper's protocol: fewer than " + std::to_string(kFewestPrompts) +
                               " prompts to fit on have both candidate tokens among the ten likeliest; more facts would do");
    return;
  }
  const auto score = [&](const std::vector<float>& features) {
    return std::inner_product(features.begin(), features.end(), weights->begin(), 0.0);
  };
  for (const auto& [set, name] : {std::pair{"own relations", "own_test"}, std::pair{"conflict", "conflict"}}) {
    const Candidates test = candidates_of(columns, sets, set, Split::kTest);
    std::vector<ClusteredScore> scores;
    for (size_t i = 0; i < test.subjects.size(); ++i) {
      scores.push_back({test.subjects[i], score(test.contextual[i]), true});
      scores.push_back({test.subjects[i], score(test.parametric[i]), false});
    }
    if (scores.empty()) continue;
    part["figures"].push_back(auc_figure(std::string("paper_") + name,
                                         std::string("AUC by the paper's protocol: candidate tokens of one prompt, ") + set,
                                         scores, ">= 0.98", "0.95 / 0.98 / 0.94", {"contextual", "parametric"}));
  }
}

}  // namespace openbook::attribution
