#include "report/tracking.h"

#include <algorithm>
#include <cmath>

#include "report/auc_figure.h"
#include "report/paper_protocol.h"
#include "report/tracking_map.h"
#include "report/tracking_methods.h"
#include "report/tracking_places.h"

namespace openbook::attribution {
namespace {

// A comparison of copied and recited answers; where a setting has one class only, the copied answers of `own` stand on the other
// side.
struct Comparison {
  std::string name, set, label, goal;
  std::optional<Setting> setting;
  bool against_own = false, with_passages = false;
};

const std::vector<Comparison>& comparisons() {
  static const std::vector<Comparison> all = {
      {"auc_own_test", "own relations", "own test relations, all settings", "", std::nullopt},
      {"auc_own_test_with_passages", "own relations", "own test relations, where there were passages", "", std::nullopt, false,
       true},
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
      {"auc_conflict_with_passages", "conflict", "conflict, where there were passages", "", std::nullopt, false, true},
      {"auc_swap_own", "swap", "swap, own", "", Setting::kOwn},
      {"auc_swap", "swap", "swap, all settings", ">= 0.95", std::nullopt},
      {"auc_swap_with_passages", "swap", "swap, where there were passages", "", std::nullopt, false, true},
      {"auc_read", "read", "read, all settings, all with passages", "", std::nullopt},
      {"auc_read_es", "read.es", "read in Spanish, all settings, all with passages", "", std::nullopt},
      {"auc_read_zh", "read.zh", "read in Chinese, all settings, all with passages", "", std::nullopt},
      {"auc_biographies", "biographies", "biographies, all settings", "", std::nullopt},
      {"auc_biographies_with_passages", "biographies", "biographies, where there were passages", "", std::nullopt, false, true},
      {"auc_biographies_es", "biographies.es", "biographies in Spanish, all settings", "", std::nullopt},
      {"auc_biographies_es_with_passages", "biographies.es", "biographies in Spanish, where there were passages", "",
       std::nullopt, false, true},
      {"auc_biographies_zh", "biographies.zh", "biographies in Chinese, all settings", "", std::nullopt},
      {"auc_biographies_zh_with_passages", "biographies.zh", "biographies in Chinese, where there were passages", "",
       std::nullopt, false, true},
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

std::string count_text(int64_t copied, int64_t recited) { return std::to_string(copied) + " / " + std::to_string(recited); }

// How many answers of each set there are to compare, and why some sets have no AUC.
void count_answers(const TrackedSets& sets, Json& part) {
  Json rows = Json::array();
  for (const auto& [set, asked] : sets.asked) {
    const auto given = std::count_if(sets.answers.begin(), sets.answers.end(), [&, &name = set](const TrackedAnswer& each) {
      return each.set == name && each.split == Split::kTest;
    });
    const Answers answers = answers_of(sets, set, std::nullopt);
    const auto copied = std::count_if(answers.begin(), answers.end(), [](const TrackedAnswer* each) { return *each->copied; });
    const int64_t recited = std::ssize(answers) - copied;
    rows.push_back({set, asked, given, copied, recited});
    if (copied == 0 || recited == 0)
      part["left_out"].push_back(set + ": no AUC; of " + std::to_string(asked) + " questions " + std::to_string(given) +
                                 " got an answer that is recognised, " + std::to_string(copied) + " copied and " +
                                 std::to_string(recited) + " recited");
  }
  part["tables"].push_back({{"title", "Answers by set: no label where neither answer follows a replaced source"},
                            {"columns", {"set", "asked", "answered", "copied", "recited"}},
                            {"rows", std::move(rows)}});
}

void compare_methods(const TrackedSets& sets, const std::vector<Method>& methods, Json& part) {
  Json columns = {"AUC, copied against recited, where there were passages", "copied / recited"}, rows = Json::array();
  for (const Method& method : methods) columns.push_back(method.name);
  for (const Comparison& comparison : comparisons()) {
    const Answers answers = compared(sets, comparison);
    const auto ours = scored(answers, methods.front().score, comparison.with_passages);
    if (std::isnan(auc_of(ours).value)) continue;
    part["figures"].push_back(auc_figure(comparison.name, "AUC, " + comparison.label, ours, comparison.goal));
    const auto with_passages = scored(answers, methods.front().score, true);
    const int64_t copied = count_positive(with_passages), recited = std::ssize(with_passages) - copied;
    // Where some answers had none, those with passages have a row of their own.
    const bool again = !comparison.setting && ours.size() != with_passages.size();
    if (copied == 0 || recited == 0 || again) continue;
    Json row = {comparison.label, count_text(copied, recited)};
    for (const Method& method : methods) {
      const Estimate auc = auc_of(scored(answers, method.score, true));
      part["methods"][comparison.name][method.name] = auc.to_json();
      row.push_back(std::round(auc.value * 1000) / 1000);
    }
    rows.push_back(std::move(row));
  }
  part["tables"].push_back({{"title", "Methods beside one another on the same answers (intervals: report.json, \"methods\")"},
                            {"columns", std::move(columns)},
                            {"rows", std::move(rows)}});
}

// Of the probe, string match and the two best of the others there: all ten can't be told apart.
void add_roc_chart(const std::vector<Method>& methods, const Answers& answers, const std::string& title, Json& part) {
  std::vector<std::pair<double, const Method*>> others;
  for (size_t i = 2; i < methods.size(); ++i)
    if (const double auc = auc_of(scored(answers, methods[i].score, true)).value; !std::isnan(auc))
      others.emplace_back(-auc, &methods[i]);
  std::stable_sort(others.begin(), others.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const Method*> shown = {&methods[0], &methods[1]};
  for (size_t i = 0; i < std::min<size_t>(2, others.size()); ++i) shown.push_back(others[i].second);
  constexpr const char* kColors[] = {"copied", "other", "in_context", "parametric"};
  Json series = Json::array();
  for (size_t i = 0; i < shown.size(); ++i) {
    Json points = Json::array();
    for (const RocPoint& point : roc_curve(scored(answers, shown[i]->score, true)))
      points.push_back({point.false_positive_rate, point.true_positive_rate});
    if (!points.empty()) series.push_back({{"name", shown[i]->name}, {"color", kColors[i]}, {"points", std::move(points)}});
  }
  if (series.empty()) return;  // a class is missing
  const auto cases = scored(answers, methods.front().score, true);
  const int64_t copied = count_positive(cases);
  part["charts"].push_back(
      {{"kind", "lines"},
       {"title", "ROC, " + title + " (" + std::to_string(copied) + " copied, " + std::to_string(std::ssize(cases) - copied) +
                     " recited): the probe, string match and the two best baselines there"},
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
    part["figures"].push_back(figure(row.name, row.label, calibration_error_of(scores).to_json(), row.goal));
    Json points = Json::array();
    for (const CalibrationBin& bin : calibration_of(scores).bins) points.push_back({bin.mean_probability, bin.share_positive});
    series.push_back({{"name", row.set}, {"color", row.color}, {"points", std::move(points)}});
  }
  part["charts"].push_back({{"kind", "lines"},
                            {"title", "Calibration"},
                            {"x", "the probe's probability"},
                            {"y", "share that was copied"},
                            {"series", std::move(series)}});
}

}  // namespace

Json run_tracking(const Laboratory& laboratory) {
  const TrackedSets sets = track_answers(laboratory);
  const std::vector<Method> methods = methods_of(laboratory, sets);
  Json part = {{"figures", Json::array()}, {"tables", Json::array()}, {"charts", Json::array()}, {"left_out", sets.left_out}};
  compare_methods(sets, methods, part);
  add_roc_chart(methods, answers_of(sets, "conflict", Setting::kBare), "conflict, bare", part);
  add_roc_chart(methods, answers_of(sets, "conflict", Setting::kDecoy), "conflict, decoy", part);
  add_roc_chart(methods, answers_of(sets, "swap", std::nullopt), "swap, where there were passages", part);
  calibrate(sets, part);
  follow_the_paper(laboratory, sets, part);
  localize(laboratory, sets, part);
  count_answers(sets, part);
  map_features(laboratory, sets, part);
  return part;
}

}  // namespace openbook::attribution
