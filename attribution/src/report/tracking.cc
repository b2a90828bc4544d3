#include "report/tracking.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "calibration.h"
#include "openbook/attribution/probe.h"
#include "report/paper_protocol.h"
#include "report/statistics.h"
#include "report/tracked_answers.h"

namespace openbook::attribution {
namespace {

constexpr double kManyFeaturesL2 =
    30;  // of probes with a feature for every head: as strong as the strongest that the atlas's own tries
constexpr size_t kRedeepHeads = 3, kRedeepLayers = 10;  // as the authors chose for a model with few layers

using Answers = std::vector<const TrackedAnswer*>;
// How likely a method holds an answer to be copied; the larger, the likelier.
using Score = std::function<double(const TrackedAnswer&)>;

struct Method {
  std::string name;
  Score score;
};

double mean_of_values(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// Answers of a set in a setting that have a label and passages to read signals from.
Answers answers_of(const TrackedSets& sets, const std::string& set, std::optional<Setting> setting, Split split = Split::kTest) {
  Answers found;
  for (const TrackedAnswer& each : sets.answers)
    if (each.set == set && (!setting || each.setting == *setting) && each.copied && each.split == split) found.push_back(&each);
  return found;
}

bool has_signals(const TrackedAnswer& answer) { return !answer.signals.lookback.empty(); }

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

// A comparison of copied and recited answers; where a setting has one class only, the copied answers of `own` stand on the other
// side.
struct Comparison {
  std::string name, set, label, goal;
  std::optional<Setting> setting;
  bool against_own = false;
};

const std::vector<Comparison>& comparisons() {
  static const std::vector<Comparison> all = {
      {"auc_own_test", "own relations", "own test relations, all settings", "", std::nullopt},
      {"auc_own_test_bare", "own relations", "own test relations, bare", "", Setting::kBare},
      {"auc_own_test_decoy", "own relations", "own test relations, decoy", "", Setting::kDecoy},
      {"auc_own_test_silent", "own relations", "own test relations, silent (against own's copied)", ">= 0.97", Setting::kSilent,
       true},
      {"auc_own_test_closed", "own relations", "own test relations, closed (against own's copied)", ">= 0.99", Setting::kClosed,
       true},
      {"auc_conflict_bare", "conflict", "conflict, bare", ">= 0.99", Setting::kBare},
      {"auc_conflict_decoy", "conflict", "conflict, decoy", ">= 0.97", Setting::kDecoy},
      {"auc_conflict_own", "conflict", "conflict, own", "", Setting::kOwn},
      {"auc_conflict_silent", "conflict", "conflict, silent (against own's copied)", "", Setting::kSilent, true},
      {"auc_conflict", "conflict", "conflict, all settings", "", std::nullopt},
      {"auc_swap_own", "swap", "swap, own", "", Setting::kOwn},
      {"auc_swap", "swap", "swap, all settings", ">= 0.95", std::nullopt},
      {"auc_read", "read", "read, all settings", "", std::nullopt},
  };
  return all;
}

Answers compared(const TrackedSets& sets, const Comparison& comparison) {
  Answers answers = answers_of(sets, comparison.set, comparison.setting);
  if (!comparison.against_own) return answers;
  std::erase_if(answers, [](const TrackedAnswer* each) { return *each->copied; });
  for (const TrackedAnswer* each : answers_of(sets, comparison.set, Setting::kOwn))
    if (*each->copied) answers.push_back(each);
  return answers;
}

std::vector<ClusteredScore> scored(const Answers& answers, const Score& score, bool need_signals) {
  std::vector<ClusteredScore> scores;
  for (const TrackedAnswer* each : answers)
    if (!need_signals || has_signals(*each)) scores.push_back({each->subject, score(*each), *each->copied});
  return scores;
}

Json counted(Json figure, const std::vector<ClusteredScore>& scores) {
  figure["copied"] = std::count_if(scores.begin(), scores.end(), [](const ClusteredScore& each) { return each.positive; });
  figure["recited"] = static_cast<int64_t>(scores.size()) - figure["copied"].get<int64_t>();
  return figure;
}

void compare_methods(const Laboratory& laboratory, const TrackedSets& sets, Json& part) {
  const std::vector<Method> methods = methods_of(laboratory, sets);
  Json columns = {"AUC, copied against recited"}, rows = Json::array();
  for (const Method& method : methods) columns.push_back(method.name);
  for (const Comparison& comparison : comparisons()) {
    const Answers answers = compared(sets, comparison);
    const std::vector<ClusteredScore> ours = scored(answers, methods.front().score, false);
    const Estimate auc = auc_of(ours);
    if (std::isnan(auc.value)) continue;
    part["figures"].push_back(counted(figure(comparison.name, comparison.label, auc.to_json(), comparison.goal), ours));
    Json row = {comparison.label + ", where there were passages"};
    for (const Method& method : methods) {
      const double value = auc_of(scored(answers, method.score, true)).value;
      row.push_back(std::isnan(value) ? Json(nullptr) : Json(std::round(value * 1000) / 1000));
    }
    rows.push_back(std::move(row));
  }
  part["tables"].push_back(
      {{"title", "Methods beside one another on the same answers"}, {"columns", std::move(columns)}, {"rows", std::move(rows)}});

  Json series = Json::array();
  for (const Method& method : methods) {
    Json points = Json::array();
    for (const RocPoint& point : roc_curve(scored(answers_of(sets, "conflict", Setting::kBare), method.score, true)))
      points.push_back({point.false_positive_rate, point.true_positive_rate});
    if (!points.empty())
      series.push_back(
          {{"name", method.name}, {"color", &method == &methods.front() ? "copied" : "other"}, {"points", std::move(points)}});
  }
  part["charts"].push_back({{"kind", "lines"},
                            {"title", "ROC on conflict, bare"},
                            {"x", "recited taken for copied"},
                            {"y", "copied found"},
                            {"series", std::move(series)}});
}

void calibrate(const TrackedSets& sets, Json& part) {
  Json series = Json::array({{{"name", "perfect"}, {"color", "other"}, {"points", {{0, 0}, {1, 1}}}}});
  const struct {
    const char *name, *set, *label, *goal, *color;
  } rows[] = {{"ece_own_test", "own relations", "calibration error (ECE, 10 bins), own test relations", "<= 0.03", "copied"},
              {"ece_conflict", "conflict", "calibration error (ECE, 10 bins), conflict", "<= 0.06", "recited"}};
  for (const auto& row : rows) {
    const auto scores = scored(
        answers_of(sets, row.set, std::nullopt), [](const TrackedAnswer& a) { return a.probability_copied; }, false);
    if (scores.empty()) continue;
    const CalibrationCurve curve = calibration_of(scores);
    const Estimate estimate{.value = curve.error, .low = NAN, .high = NAN, .cases = static_cast<int64_t>(scores.size())};
    part["figures"].push_back(figure(row.name, row.label, estimate.to_json(), row.goal));
    Json points = Json::array();
    for (const CalibrationBin& bin : curve.bins) points.push_back({bin.mean_probability, bin.share_positive});
    series.push_back({{"name", row.set}, {"color", row.color}, {"points", std::move(points)}});
  }
  part["charts"].push_back({{"kind", "lines"},
                            {"title", "Calibration"},
                            {"x", "the probe's probability"},
                            {"y", "share that was copied"},
                            {"series", std::move(series)}});
}

bool inside(const std::vector<TokenRange>& ranges, int64_t token) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const TokenRange& range) { return token >= range.begin && token < range.end; });
}

// F1 of the tokens from the first place to the last one against the occurrence that overlaps it most.
double span_f1(const TrackedAnswer& answer) {
  if (!answer.place) return 0;
  const int64_t begin = *answer.place,
                end = answer.last_place && *answer.last_place >= begin ? *answer.last_place + 1 : begin + 1;
  double best = 0;
  for (const TokenRange& gold : answer.occurrences) {
    const int64_t both = std::min(end, gold.end) - std::max(begin, gold.begin);
    if (both > 0) best = std::max(best, 2.0 * static_cast<double>(both) / static_cast<double>(end - begin + gold.size()));
  }
  return best;
}

// The first of the answers whose place was wrong, for readers: question, answer, and what stands at the place.
Json misplaced_table(const TrackedSets& sets) {
  constexpr size_t kShown = 40;
  Json rows = Json::array();
  for (const TrackedAnswer& each : sets.answers)
    if (each.copied && *each.copied && each.split == Split::kTest && !each.occurrences.empty() && !each.misplaced.empty() &&
        rows.size() < kShown)
      rows.push_back({each.set, setting_name(each.setting), each.misplaced});
  return {{"title", "Copied answers whose place was wrong: question > answer > what stands there"},
          {"columns", {"set", "setting", "place"}},
          {"rows", std::move(rows)}};
}

void localize(const TrackedSets& sets, Json& part) {
  const struct {
    const char *set, *name, *goal;
  } rows[] = {{"own relations", "own_test", ""},
              {"conflict", "conflict", ">= 0.985"},
              {"swap", "swap", ">= 0.97"},
              {"read", "read", ">= 0.95"}};
  for (const auto& row : rows) {
    std::vector<ClusteredValue> top1, f1, nowhere, lost;
    for (const TrackedAnswer* each : answers_of(sets, row.set, std::nullopt)) {
      if (*each->copied && !each->occurrences.empty()) {
        top1.push_back({each->subject, each->place && inside(each->occurrences, *each->place) ? 1.0 : 0.0});
        f1.push_back({each->subject, span_f1(*each)});
        lost.push_back({each->subject, each->nowhere ? 1.0 : 0.0});
      }
      if (each->setting == Setting::kSilent && !*each->copied) nowhere.push_back({each->subject, each->nowhere ? 1.0 : 0.0});
    }
    const std::string name = row.name, of = std::string(", ") + row.set;
    if (!top1.empty()) {
      part["figures"].push_back(figure("place_top1_" + name, "place of the answer's first token, top-1" + of,
                                       mean_of(top1).to_json(), row.goal, "97 / 96 / 84 %"));
      part["figures"].push_back(figure("span_f1_" + name, "whole span, F1" + of, mean_of(f1).to_json(), ">= 0.90"));
      part["figures"].push_back(figure("place_lost_" + name, "copied, called nowhere" + of, mean_of(lost).to_json()));
    }
    if (!nowhere.empty())
      part["figures"].push_back(
          figure("nowhere_" + name, "nowhere, where the source was removed" + of, mean_of(nowhere).to_json(), ">= 0.95"));
  }
  part["tables"].push_back(misplaced_table(sets));
  for (const Json& chart : sets.heat_texts) part["charts"].push_back(chart);
}

// The probe's features in their two principal directions, and the features themselves for other maps (tools/umap_of_features.py).
void map_features(const Laboratory& laboratory, const TrackedSets& sets, Json& part) {
  std::vector<float> values;
  std::vector<bool> copied;
  const Probe& probe = laboratory.atlas->probe;
  Json kept = {{"heads", Json::array()}, {"rows", Json::array()}};
  for (const engine::HeadId head : probe.heads) kept["heads"].push_back(engine::to_string(head));
  for (const TrackedAnswer* each : answers_of(sets, "own relations", std::nullopt)) {
    if (copied.size() >= 800) break;
    Json row = {{"subject", each->subject}, {"setting", setting_name(each->setting)}, {"copied", *each->copied}};
    for (size_t i = 0; i < probe.heads.size(); ++i) {
      const auto column = static_cast<size_t>(probe.heads[i].layer * laboratory.model().config().heads + probe.heads[i].head);
      values.push_back((each->evidence[column] - probe.mean[i]) / probe.scale[i]);
      row["values"].push_back(std::round(values.back() * 1000.0) / 1000);
    }
    kept["rows"].push_back(std::move(row));
    copied.push_back(*each->copied);
  }
  if (copied.size() < 3) return;
  part["features"] = std::move(kept);
  at::Tensor features = at::tensor(values).view({static_cast<int64_t>(copied.size()), static_cast<int64_t>(probe.heads.size())});
  features = features - features.mean(0, true);
  const at::Tensor directions = std::get<2>(at::linalg_svd(features, /*full_matrices=*/false)).narrow(0, 0, 2);
  const at::Tensor map = at::matmul(features, directions.t()).contiguous();
  Json points[2] = {Json::array(), Json::array()};
  for (size_t i = 0; i < copied.size(); ++i) {
    const float* at = map.data_ptr<float>() + 2 * i;
    points[copied[i] ? 0 : 1].push_back({std::round(at[0] * 100) / 100, std::round(at[1] * 100) / 100});
  }
  part["charts"].push_back({{"kind", "scatter"},
                            {"title", "Features of the probe, own test relations (principal components)"},
                            {"x", "first"},
                            {"y", "second"},
                            {"series",
                             {{{"name", "copied"}, {"color", "copied"}, {"points", points[0]}},
                              {{"name", "recited"}, {"color", "recited"}, {"points", points[1]}}}}});
}

}  // namespace

Json run_tracking(const Laboratory& laboratory) {
  const TrackedSets sets = track_answers(laboratory);
  Json part = {{"figures", Json::array()}, {"tables", Json::array()}, {"charts", Json::array()}, {"left_out", sets.left_out}};
  compare_methods(laboratory, sets, part);
  calibrate(sets, part);
  follow_the_paper(laboratory, sets, part);
  localize(sets, part);
  map_features(laboratory, sets, part);
  return part;
}

}  // namespace openbook::attribution
