#include "report/vectors.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "openbook/base/error.h"
#include "report/statistics.h"
#include "report/vector_trials.h"

namespace openbook::attribution {
namespace {

constexpr double kAnswered = 0.7;  // the paper's bound for an example that a model knows

std::string number(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}
double rounded(double value) { return std::round(value * 1e4) / 1e4; }

class VectorReport {
 public:
  VectorReport(const Laboratory& lab, VectorExperiment experiment) : lab_(lab), experiment_(std::move(experiment)) {
    for (const HeadOrder& order : removal_orders(*lab.atlas, lab.sample(5, 1), lab.seed))
      if (order.color == "random") random_.push_back(order.heads);
  }

  void add_to(Json& part) {
    sweep();
    test();
    figures(part);
    by_group(part);
    ways(part);
    charts(part);
    part["raw"][experiment_.name] = raw();
    for (const std::string& text : experiment_.left_out) part["left_out"].push_back(text);
  }

 private:
  void sweep();
  void test();
  void figures(Json& part) const;
  void add_figures(Json& part, const std::string& name, const std::string& what, const std::vector<VectorTrial>& trials,
                   const std::vector<std::vector<double>>& recall) const;
  void ceiling(Json& part) const;
  void by_group(Json& part) const;
  void ways(Json& part) const;
  void charts(Json& part) const;
  Json raw() const;

  // The dose of the largest recall on the development part among those of `way`, or of all ways; of equals the first.
  size_t best(std::optional<size_t> way) const;
  size_t with_random_heads(size_t way, size_t seed);
  std::string described(const VectorDose& dose) const;
  std::string beyond_the_edge(const VectorDose& dose) const;
  Estimate estimate(const std::vector<VectorTrial>& trials, const std::vector<std::vector<double>>& recall,
                    const std::vector<size_t>& doses, const std::string& group = "") const;

  const Laboratory& lab_;
  VectorExperiment experiment_;
  size_t proper_ways_ = 0;  // before those with random heads
  std::vector<HeadSet> random_;
  std::vector<VectorDose> swept_;
  std::vector<double> swept_recall_;                     // mean on the development part, by dose
  std::vector<std::pair<int64_t, double>> random_line_;  // count and recall there, at the published way's best scale
  VectorDose plain_, best_;

  // Of the test part: what was run, [dose][trial], and which of it is what.
  std::vector<std::vector<double>> tested_, beyond_;
  std::vector<size_t> unpatched_dose_ = {0}, plain_dose_ = {1}, best_dose_ = {2}, random_plain_, random_best_;
};

size_t VectorReport::best(std::optional<size_t> way) const {
  size_t found = swept_.size();
  for (size_t i = 0; i < swept_.size(); ++i)
    if ((!way || swept_[i].way == *way) && (found == swept_.size() || swept_recall_[i] > swept_recall_[found])) found = i;
  return found;
}

// The way with random heads in the order's place.
size_t VectorReport::with_random_heads(size_t way, size_t seed) {
  VectorWay random = experiment_.ways[way];
  random.order = random_[seed];
  experiment_.ways.push_back(std::move(random));
  return experiment_.ways.size() - 1;
}

void VectorReport::sweep() {
  const std::string stage = experiment_.name + " vectors: development";
  proper_ways_ = experiment_.ways.size();
  for (size_t way = 0; way < proper_ways_; ++way)
    for (const int64_t count : experiment_.counts)
      for (const double scale : experiment_.scales)
        for (const double sharpen : experiment_.sharpens) swept_.push_back({way, count, scale, sharpen});
  for (const std::vector<double>& of_dose : recalls(lab_, experiment_, experiment_.development, swept_, stage))
    swept_recall_.push_back(mean(of_dose));
  plain_ = swept_[best(0)];
  best_ = swept_[best(std::nullopt)];
  std::vector<VectorDose> random;
  const size_t way = with_random_heads(0, 0);
  for (const int64_t count : experiment_.counts) random.push_back({way, count, plain_.scale, plain_.sharpen});
  const auto recall = recalls(lab_, experiment_, experiment_.development, random, stage + ", random heads");
  for (size_t i = 0; i < random.size(); ++i) random_line_.emplace_back(random[i].count, mean(recall[i]));
}

void VectorReport::test() {
  std::vector<VectorDose> doses = {{}, plain_, best_};
  for (size_t seed = 0; seed < random_.size(); ++seed)
    for (const auto& [dose, list] : {std::pair{plain_, &random_plain_}, std::pair{best_, &random_best_}}) {
      list->push_back(doses.size());
      doses.push_back(dose);
      doses.back().way = with_random_heads(dose.way, seed);
    }
  tested_ = recalls(lab_, experiment_, experiment_.test, doses, experiment_.name + " vectors");
  if (!experiment_.beyond.empty())
    beyond_ = recalls(lab_, experiment_, experiment_.beyond, doses, experiment_.name + " vectors, " + experiment_.beyond_name);
}

// Of the trials of the group, or of all: the mean over these doses.
Estimate VectorReport::estimate(const std::vector<VectorTrial>& trials, const std::vector<std::vector<double>>& recall,
                                const std::vector<size_t>& doses, const std::string& group) const {
  std::vector<ClusteredValue> values;
  for (size_t i = 0; i < trials.size(); ++i) {
    if (!group.empty() && trials[i].group != group) continue;
    double sum = 0;
    for (const size_t dose : doses) sum += recall[dose][i];
    values.push_back({trials[i].cluster, sum / static_cast<double>(doses.size())});
  }
  return mean_of(values);
}

std::string VectorReport::described(const VectorDose& dose) const {
  std::string text = experiment_.ways[dose.way].name + ": " + std::to_string(dose.count) + " heads, " + experiment_.scale_name +
                     " " + number(dose.scale);
  if (experiment_.sharpens.size() > 1) text += ", sharpened by " + number(dose.sharpen);
  return text;
}

// In which directions nothing was tried beyond this dose. Less than one head, more than all and less than no sharpening can't be.
std::string VectorReport::beyond_the_edge(const VectorDose& dose) const {
  std::string text;
  const auto add = [&](bool at_edge, const std::string& said) {
    if (at_edge) text.append(text.empty() ? "" : ", ").append(said);
  };
  const std::vector<int64_t>& counts = experiment_.counts;
  const std::vector<double>&scales = experiment_.scales, &sharpens = experiment_.sharpens;
  add(dose.count == counts.front() && dose.count > 1, "fewer heads");
  add(dose.count == counts.back() && dose.count < lab_.atlas->layers * lab_.atlas->heads, "more heads");
  add(dose.scale == scales.front(), "less " + experiment_.scale_name);
  add(dose.scale == scales.back(), "more " + experiment_.scale_name);
  add(sharpens.size() > 1 && dose.sharpen == sharpens.back(), "more sharpening");
  return text;
}

void VectorReport::figures(Json& part) const {
  add_figures(part, experiment_.name, experiment_.what, experiment_.test, tested_);
  if (!experiment_.asked.empty()) ceiling(part);
  if (!experiment_.beyond_what.empty())
    add_figures(part, experiment_.name + "_" + experiment_.beyond_name, experiment_.beyond_what, experiment_.beyond, beyond_);
}

void VectorReport::add_figures(Json& part, const std::string& name, const std::string& what,
                               const std::vector<VectorTrial>& trials, const std::vector<std::vector<double>>& recall) const {
  const auto add = [&](const std::string& of, const std::string& label, const std::vector<size_t>& doses, bool compared) {
    part["figures"].push_back(figure(name + "_" + of, experiment_.title + ", recall of " + what + "; " + label,
                                     estimate(trials, recall, doses).to_json(), compared ? experiment_.goal : "",
                                     compared ? experiment_.paper : ""));
  };
  add("published", described(plain_), plain_dose_, true);
  add("published_random", "random heads in their place", random_plain_, false);
  add("best", "best on the development part, " + described(best_), best_dose_, true);
  add("best_random", "random heads in their place", random_best_, false);
  add("unpatched", "nothing edited", unpatched_dose_, false);
}

// What a vector can't be expected to surpass: the model that is simply asked, and the vectors where that works.
void VectorReport::ceiling(Json& part) const {
  std::vector<ClusteredValue> asked, moved;
  for (size_t i = 0; i < experiment_.test.size(); ++i) {
    asked.push_back({experiment_.test[i].cluster, experiment_.asked[i]});
    if (experiment_.asked[i] >= kAnswered) moved.push_back({experiment_.test[i].cluster, tested_[best_dose_[0]][i]});
  }
  part["figures"].push_back(figure(experiment_.name + "_asked",
                                   experiment_.title + ", recall when the model is simply asked: the ceiling",
                                   mean_of(asked).to_json()));
  part["figures"].push_back(
      figure(experiment_.name + "_best_where_asked_works",
             experiment_.title + ", best way, where the model that is asked has a recall of " + number(kAnswered),
             mean_of(moved).to_json()));
}

void VectorReport::by_group(Json& part) const {
  Json rows = Json::array();
  const auto add = [&](const std::vector<VectorTrial>& trials, const std::vector<std::vector<double>>& recall) {
    std::vector<std::string> groups;
    for (const VectorTrial& trial : trials)
      if (!std::count(groups.begin(), groups.end(), trial.group)) groups.push_back(trial.group);
    for (const std::string& group : groups) {
      Json row = {group,
                  std::count_if(trials.begin(), trials.end(), [&](const VectorTrial& trial) { return trial.group == group; })};
      for (const std::vector<size_t>* doses : {&unpatched_dose_, &random_plain_, &plain_dose_, &random_best_, &best_dose_})
        row.push_back(rounded(estimate(trials, recall, *doses, group).value));
      rows.push_back(std::move(row));
    }
  };
  add(experiment_.test, tested_);
  add(experiment_.beyond, beyond_);
  part["tables"].push_back(
      {{"title", experiment_.title + ": recall by group"},
       {"columns",
        {"group", "cases", "nothing edited", "random heads, as published", "as published", "random heads, best way", "best way"}},
       {"rows", std::move(rows)}});
}

void VectorReport::ways(Json& part) const {
  Json rows = Json::array();
  for (size_t way = 0; way < proper_ways_; ++way) {
    const size_t dose = best(way);
    rows.push_back({described(swept_[dose]), rounded(swept_recall_[dose]), beyond_the_edge(swept_[dose])});
  }
  part["tables"].push_back({{"title", experiment_.title + ": each way's best dose on the development part, " +
                                          std::to_string(experiment_.development.size()) + " cases"},
                            {"columns", {"way and dose", "recall", "not tried, and might do better"}},
                            {"rows", std::move(rows)}});
}

void VectorReport::charts(Json& part) const {
  for (const VectorDose& dose : {plain_, best_}) {
    Json series = Json::array();
    for (const double scale : experiment_.scales) {
      Json points = Json::array();
      for (size_t i = 0; i < swept_.size(); ++i)
        if (swept_[i].way == dose.way && swept_[i].scale == scale && swept_[i].sharpen == dose.sharpen)
          points.push_back({swept_[i].count, rounded(swept_recall_[i])});
      series.push_back({{"name", experiment_.scale_name + " " + number(scale)},
                        {"color", scale == dose.scale ? experiment_.color : "other"},
                        {"points", std::move(points)}});
    }
    if (dose.way == 0) {
      Json points = Json::array();
      for (const auto& [count, recall] : random_line_) points.push_back({count, rounded(recall)});
      series.push_back({{"name", "random heads, " + experiment_.scale_name + " " + number(dose.scale)},
                        {"color", "random"},
                        {"points", std::move(points)}});
    }
    std::string title = experiment_.title + " on the development part, " + experiment_.ways[dose.way].name;
    if (experiment_.sharpens.size() > 1) title += ", sharpened by " + number(dose.sharpen);
    part["charts"].push_back(
        {{"kind", "lines"}, {"title", title}, {"x", "heads"}, {"y", "recall"}, {"series", std::move(series)}});
    if (best_.way == 0) break;  // the same chart again
  }
}

Json VectorReport::raw() const {
  Json sweep = Json::array();
  for (size_t i = 0; i < swept_.size(); ++i)
    sweep.push_back({{"way", experiment_.ways[swept_[i].way].name},
                     {"heads", swept_[i].count},
                     {"scale", swept_[i].scale},
                     {"sharpen", swept_[i].sharpen},
                     {"recall", rounded(swept_recall_[i])}});
  return {{"development_cases", experiment_.development.size()},
          {"test_cases", experiment_.test.size()},
          {"sweep", std::move(sweep)}};
}

}  // namespace

void add_vector_experiment(const Laboratory& lab, const VectorExperiment& experiment, Json& part) {
  VectorReport(lab, experiment).add_to(part);
}

Json run_vectors(const Laboratory& lab) {
  if (!lab.biographies)
    throw Error(Code::kFailedPrecondition, "function vectors need biographies of people who never lived",
                "Give the folder that holds biographies.json.");
  Json part;
  for (const auto& make : {task_experiment, parametric_experiment, retrieval_experiment}) {
    try {
      add_vector_experiment(lab, make(lab), part);
    } catch (const Error& error) {
      if (error.code() != Code::kFailedPrecondition) throw;
      part["left_out"].push_back(std::string(error.what()) + " " + error.hint());
    }
  }
  if (lab.quick)
    part["left_out"].push_back(
        "Quick: few cases, one or two ways, few doses and one random order; no other languages, no figure on people alone.");
  return part;
}

}  // namespace openbook::attribution
