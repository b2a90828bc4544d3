#include "report/tracking_places.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "report/paper_protocol.h"

namespace openbook::attribution {
namespace {

struct PlacedSet {
  const char *set, *name, *goal;
};
constexpr PlacedSet kPlacedSets[] = {{"own relations", "own_test", ""},
                                     {"conflict", "conflict", ">= 0.985"},
                                     {"swap", "swap", ">= 0.97"},
                                     {"read", "read", ">= 0.95"},
                                     {"read.es", "read_es", ""},
                                     {"read.zh", "read_zh", ""},
                                     {"biographies", "biographies", ""},
                                     {"biographies.es", "biographies_es", ""},
                                     {"biographies.zh", "biographies_zh", ""}};

bool right(const TrackedAnswer& answer, const std::optional<int64_t>& place) {
  return place && std::any_of(answer.occurrences.begin(), answer.occurrences.end(),
                              [&](const TokenRange& range) { return range.contains(*place); });
}

// Copied answers that the passages hold as they were given.
Answers placed(const TrackedSets& sets, const char* set) {
  Answers answers = answers_of(sets, set, std::nullopt);
  std::erase_if(answers, [](const TrackedAnswer* each) { return !*each->copied || each->occurrences.empty(); });
  return answers;
}

Estimate share(const Answers& answers, const std::function<double(const TrackedAnswer&)>& value) {
  std::vector<ClusteredValue> values;
  for (const TrackedAnswer* each : answers) values.push_back({each->subject, value(*each)});
  return mean_of(values);
}

// The first of some answers, for readers: question, answer, and what stands at the place.
Json misplaced_table(const TrackedSets& sets, const char* title, bool (*listed)(const TrackedAnswer&)) {
  constexpr size_t kShown = 40;
  Json rows = Json::array();
  for (const TrackedAnswer& each : sets.answers)
    if (each.copied && each.split == Split::kTest && !each.misplaced.empty() && listed(each) && rows.size() < kShown)
      rows.push_back({each.set, setting_name(each.setting), each.misplaced});
  return {{"title", title}, {"columns", {"set", "setting", "place"}}, {"rows", std::move(rows)}};
}

// Recited where the source was removed.
bool sourceless(const TrackedAnswer& each) { return each.setting == Setting::kSilent && each.copied == false; }

struct PlaceMethod {
  const char *name, *label;
  std::function<std::optional<int64_t>(const TrackedAnswer&)> place;
};

std::vector<PlaceMethod> place_methods(const Laboratory& laboratory, const TrackedSets& sets) {
  using Place = std::optional<int64_t>;
  std::vector<PlaceMethod> methods = {
      {"localizer", "openbook's localizer", [](const TrackedAnswer& a) { return a.place; }},
      {"unspelt", "the same, spelling not counted", [](const TrackedAnswer& a) { return a.others->unspelt; }},
      {"first_alike", "first token spelt like the answer's", [](const TrackedAnswer& a) { return a.others->first_alike; }},
      {"mean", "mean attention of the probe's heads", [](const TrackedAnswer& a) { return a.others->mean; }},
      {"probe", "the paper's rule, openbook's probe", [](const TrackedAnswer& a) { return a.others->probe; }}};
  if (const auto weights = paper_weights(laboratory, sets)) {
    const at::Tensor row = at::tensor(*weights, at::kFloat);
    methods.push_back({"paper", "the paper's rule and weights", [row](const TrackedAnswer& a) -> Place {
                         return best_readable(at::matmul(row, a.others->lens_attention), a.others->readable);
                       }});
  }
  return methods;
}

// On the same answers: those of the localizer's top-1.
void compare_places(const Laboratory& laboratory, const TrackedSets& sets, Json& part) {
  const std::vector<PlaceMethod> methods = place_methods(laboratory, sets);
  Json columns = {"top-1 of the answer's first token", "copied answers"}, rows = Json::array();
  for (const PlaceMethod& method : methods) columns.push_back(method.label);
  for (const PlacedSet& set : kPlacedSets) {
    const Answers answers = placed(sets, set.set);
    if (answers.empty()) continue;
    Json row = {set.set, answers.size()};
    for (const PlaceMethod& method : methods) {
      const Estimate top1 = share(answers, [&](const TrackedAnswer& each) { return right(each, method.place(each)); });
      part["places"][set.name][method.name] = top1.to_json();
      row.push_back(std::round(top1.value * 1000) / 1000);
    }
    rows.push_back(std::move(row));
  }
  part["tables"].push_back(
      {{"title", "Where: methods beside one another"}, {"columns", std::move(columns)}, {"rows", std::move(rows)}});
}

void figures_of_set(const TrackedSets& sets, const PlacedSet& set, Json& part) {
  const std::string name = set.name, of = std::string(", ") + set.set;
  const Answers copied = placed(sets, set.set);
  if (!copied.empty()) {
    part["figures"].push_back(figure(
        "place_top1_" + name,
        "place of the answer's first token: the best passage token (its like counts eightfold) is right" + of,
        share(copied, [](const TrackedAnswer& each) { return right(each, each.place); }).to_json(), set.goal, "97 / 96 / 84 %"));
    part["figures"].push_back(figure("span_f1_" + name, "whole span, F1" + of, share(copied, span_f1).to_json(), ">= 0.90"));
    part["figures"].push_back(figure("place_lost_" + name, "copied, called nowhere" + of,
                                     share(copied, [](const TrackedAnswer& each) { return each.nowhere; }).to_json()));
  }
  Answers removed = answers_of(sets, set.set, Setting::kSilent);
  std::erase_if(removed, [](const TrackedAnswer* each) { return !sourceless(*each); });
  if (!removed.empty())
    part["figures"].push_back(figure("nowhere_" + name, "nowhere, where the source was removed" + of,
                                     share(removed, [](const TrackedAnswer& each) { return each.nowhere; }).to_json(),
                                     ">= 0.95"));
}

}  // namespace

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

void localize(const Laboratory& laboratory, const TrackedSets& sets, Json& part) {
  for (const PlacedSet& set : kPlacedSets) figures_of_set(sets, set, part);
  compare_places(laboratory, sets, part);
  part["tables"].push_back(misplaced_table(sets, "Copied answers whose place was wrong: question > answer > what stands there",
                                           [](const TrackedAnswer& each) { return *each.copied && !each.occurrences.empty(); }));
  part["tables"].push_back(
      misplaced_table(sets, "Answers whose source was removed, and which got a place: question > answer > what stands there",
                      [](const TrackedAnswer& each) { return sourceless(each) && !each.nowhere; }));
  for (const Json& chart : sets.heat_texts) part["charts"].push_back(chart);
}

}  // namespace openbook::attribution
