#include "eval/shares.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "openbook/attribution/probe.h"

namespace openbook::guard {
namespace {

constexpr int kDraws = 1000;

double rounded(double value) { return std::round(value * 1e4) / 1e4; }

}  // namespace

void Share::add(const std::string& cluster, bool hit) { cases_.push_back({cluster, hit}); }

int64_t Share::hits() const {
  return std::count_if(cases_.begin(), cases_.end(), [](const Case& each) { return each.hit; });
}

nlohmann::ordered_json Share::to_json() const {
  if (cases_.empty()) return {{"share", nullptr}, {"hits", 0}, {"of", 0}, {"interval", nullptr}};
  std::map<std::string, std::pair<int64_t, int64_t>> by_cluster;  // hits, cases
  for (const Case& each : cases_) {
    by_cluster[each.cluster].first += each.hit;
    by_cluster[each.cluster].second += 1;
  }
  std::vector<std::pair<int64_t, int64_t>> clusters;
  for (const auto& [name, counts] : by_cluster) clusters.push_back(counts);
  std::mt19937_64 random(20250515);
  std::vector<double> draws;
  for (int draw = 0; draw < kDraws; ++draw) {
    int64_t drawn_hits = 0, drawn_cases = 0;
    for (size_t i = 0; i < clusters.size(); ++i) {
      const auto& [cluster_hits, cluster_cases] = clusters[random() % clusters.size()];
      drawn_hits += cluster_hits;
      drawn_cases += cluster_cases;
    }
    draws.push_back(static_cast<double>(drawn_hits) / static_cast<double>(drawn_cases));
  }
  std::sort(draws.begin(), draws.end());
  return {{"share", rounded(static_cast<double>(hits()) / static_cast<double>(cases()))},
          {"hits", hits()},
          {"of", cases()},
          {"interval", {rounded(draws[kDraws / 40]), rounded(draws[kDraws - 1 - kDraws / 40])}}};
}

void Separation::add(double score, bool is_copied) {
  scores.push_back(score);
  copied.push_back(is_copied);
}

nlohmann::ordered_json Separation::to_json() const {
  const double auc = attribution::roc_auc(scores, copied);
  const int64_t positive = std::count(copied.begin(), copied.end(), true);
  nlohmann::ordered_json json;
  json["auc"] = std::isnan(auc) ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(rounded(auc));
  json["copied"] = positive;
  json["recited"] = static_cast<int64_t>(copied.size()) - positive;
  return json;
}

}  // namespace openbook::guard
