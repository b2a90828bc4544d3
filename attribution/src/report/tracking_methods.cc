#include "report/tracking_methods.h"

#include <algorithm>
#include <cmath>

#include "openbook/attribution/probe.h"

namespace openbook::attribution {
namespace {

constexpr double kManyFeaturesL2 =
    30;  // of probes with a feature for every head: as strong as the strongest that the atlas's own tries
constexpr size_t kRedeepHeads = 3, kRedeepLayers = 10;  // as the authors chose for a model with few layers

double mean_of_values(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// A logistic probe on features of every head, fitted on the fit split of the own relations.
Score fitted(const Answers& fit, const std::function<const std::vector<float>&(const TrackedAnswer&)>& features) {
  std::vector<ProbeExample> examples;
  for (const TrackedAnswer* each : fit)
    if (has_signals(*each)) examples.push_back({features(*each), *each->copied, each->relation});
  const auto both = std::any_of(examples.begin(), examples.end(), [](const ProbeExample& e) { return e.copied; }) &&
                    std::any_of(examples.begin(), examples.end(), [](const ProbeExample& e) { return !e.copied; });
  if (!both) return [](const TrackedAnswer&) { return 0.0; };
  const Probe probe = fit_probe(examples, kManyFeaturesL2);
  return [probe, features](const TrackedAnswer& answer) { return probe.logit(features(answer)); };
}

// The columns whose single AUC is best on the fit split, min-max scaled and summed (ReDeEP's selection, on own data instead of
// the test's).
Score best_columns(const Answers& fit, size_t count, bool high_is_copied,
                   const std::function<const std::vector<float>&(const TrackedAnswer&)>& features) {
  Answers usable;
  for (const TrackedAnswer* each : fit)
    if (has_signals(*each)) usable.push_back(each);
  if (usable.empty()) return [](const TrackedAnswer&) { return 0.0; };
  const size_t width = features(*usable.front()).size();
  std::vector<std::pair<double, size_t>> aucs;
  for (size_t column = 0; column < width; ++column) {
    std::vector<double> scores;
    std::vector<bool> copied;
    for (const TrackedAnswer* each : usable)
      scores.push_back((high_is_copied ? 1 : -1) * features(*each)[column]), copied.push_back(*each->copied);
    const double auc = roc_auc(scores, copied);
    aucs.emplace_back(std::isnan(auc) ? 0 : -auc, column);
  }
  std::sort(aucs.begin(), aucs.end());
  struct Column {
    size_t index;
    double low, high;
  };
  std::vector<Column> chosen;
  for (size_t i = 0; i < std::min(count, width); ++i) {
    Column column{aucs[i].second, INFINITY, -INFINITY};
    for (const TrackedAnswer* each : usable) {
      column.low = std::min<double>(column.low, features(*each)[column.index]);
      column.high = std::max<double>(column.high, features(*each)[column.index]);
    }
    chosen.push_back(column);
  }
  return [chosen, features, high_is_copied](const TrackedAnswer& answer) {
    double sum = 0;
    for (const Column& column : chosen)
      sum += (features(answer)[column.index] - column.low) / std::max(column.high - column.low, 1e-12);
    return (high_is_copied ? 1 : -1) * sum / static_cast<double>(chosen.size());
  };
}

}  // namespace

Answers answers_of(const TrackedSets& sets, const std::string& set, std::optional<Setting> setting, Split split) {
  Answers found;
  for (const TrackedAnswer& each : sets.answers)
    if (each.set == set && (!setting || each.setting == *setting) && each.copied && each.split == split) found.push_back(&each);
  return found;
}

std::vector<ClusteredScore> scored(const Answers& answers, const Score& score, bool need_signals) {
  std::vector<ClusteredScore> scores;
  for (const TrackedAnswer* each : answers)
    if (!need_signals || has_signals(*each)) scores.push_back({each->subject, score(*each), *each->copied});
  return scores;
}

std::vector<Method> methods_of(const Laboratory& laboratory, const TrackedSets& sets) {
  const Answers fit = answers_of(sets, "own relations", std::nullopt, Split::kFit);
  std::vector<size_t> retrieval;
  for (const engine::HeadId head : laboratory.atlas->probe.heads)
    retrieval.push_back(static_cast<size_t>(head.layer * laboratory.model().config().heads + head.head));
  const auto external = [](const TrackedAnswer& a) -> const std::vector<float>& { return a.signals.external; };
  const auto parametric = [](const TrackedAnswer& a) -> const std::vector<float>& { return a.signals.parametric; };
  const Score ecs = best_columns(fit, kRedeepHeads, true, external), pks = best_columns(fit, kRedeepLayers, false, parametric);
  return {
      {"openbook's probe", [](const TrackedAnswer& a) { return a.probability_copied; }},
      {"exact string match", [](const TrackedAnswer& a) { return a.string_match ? 1.0 : 0.0; }},
      {"attention on the passages, mean", [](const TrackedAnswer& a) { return mean_of_values(a.signals.mass); }},
      {"copy score, retrieval heads",
       [retrieval](const TrackedAnswer& a) {
         double sum = 0;
         for (const size_t head : retrieval) sum += a.signals.copy[head];
         return sum;
       }},
      {"lookback ratio", fitted(fit, [](const TrackedAnswer& a) -> const std::vector<float>& { return a.signals.lookback; })},
      {"write score", fitted(fit, [](const TrackedAnswer& a) -> const std::vector<float>& { return a.signals.write; })},
      {"logit lens of all heads", fitted(fit, [](const TrackedAnswer& a) -> const std::vector<float>& { return a.evidence; })},
      {"ReDeEP, external context", ecs},
      {"ReDeEP, parametric knowledge", pks},
      {"ReDeEP, both", [ecs, pks](const TrackedAnswer& a) { return ecs(a) + pks(a); }},
  };
}

}  // namespace openbook::attribution
