#include "report/statistics.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <random>

#include "openbook/attribution/contrast_set.h"
#include "openbook/attribution/probe.h"
#include "openbook/base/error.h"

namespace openbook::attribution {
namespace {

constexpr int kDraws = 1000;
constexpr uint64_t kBootstrapSeed = 20250515;

// Value of all cases, and its interval over drawn clusters; `value` gets how often each case was drawn.
Estimate bootstrap(const std::vector<std::string>& clusters, const std::function<double(const std::vector<int>& times)>& value) {
  Estimate estimate{.cases = static_cast<int64_t>(clusters.size())};
  estimate.value = estimate.low = estimate.high = value(std::vector<int>(clusters.size(), 1));
  if (clusters.empty()) return estimate;
  std::map<std::string, std::vector<size_t>> members;
  for (size_t i = 0; i < clusters.size(); ++i) members[clusters[i]].push_back(i);
  std::vector<const std::vector<size_t>*> drawn_from;
  for (const auto& [name, cases] : members) drawn_from.push_back(&cases);
  std::mt19937_64 random(kBootstrapSeed);
  std::vector<double> draws;
  for (int draw = 0; draw < kDraws; ++draw) {
    std::vector<int> times(clusters.size());
    for (size_t i = 0; i < drawn_from.size(); ++i)
      for (const size_t each : *drawn_from[random() % drawn_from.size()]) ++times[each];
    if (const double drawn = value(times); !std::isnan(drawn)) draws.push_back(drawn);
  }
  if (draws.empty()) return estimate;
  std::sort(draws.begin(), draws.end());
  estimate.low = draws[draws.size() / 40];
  estimate.high = draws[draws.size() - 1 - draws.size() / 40];
  return estimate;
}

nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(std::round(value * 1e4) / 1e4) : nlohmann::ordered_json(nullptr);
}

std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> rank(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i) rank[order[i]] = (static_cast<double>(begin) + static_cast<double>(end) - 1) / 2;
    begin = end;
  }
  return rank;
}

// Scores in order, for the area under the curve of many draws: Mann-Whitney, equal scores count half.
class RankedScores {
 public:
  explicit RankedScores(const std::vector<ClusteredScore>& cases) : cases_(cases), order_(cases.size()) {
    std::iota(order_.begin(), order_.end(), 0);
    std::sort(order_.begin(), order_.end(), [&](size_t a, size_t b) { return cases[a].score < cases[b].score; });
  }

  double auc(const std::vector<int>& times) const {
    double positive = 0, negative = 0, wins = 0;
    for (size_t begin = 0; begin < order_.size();) {
      double here_positive = 0, here_negative = 0;
      size_t end = begin;
      for (; end < order_.size() && cases_[order_[end]].score == cases_[order_[begin]].score; ++end)
        (cases_[order_[end]].positive ? here_positive : here_negative) += times[order_[end]];
      wins += here_positive * (negative + here_negative / 2);
      positive += here_positive;
      negative += here_negative;
      begin = end;
    }
    return positive > 0 && negative > 0 ? wins / (positive * negative) : std::numeric_limits<double>::quiet_NaN();
  }

 private:
  const std::vector<ClusteredScore>& cases_;
  std::vector<size_t> order_;
};

// Of cases that count `times` each.
CalibrationCurve calibration_curve(const std::vector<ClusteredScore>& cases, const std::vector<int>& times, int bins) {
  std::vector<CalibrationBin> all(static_cast<size_t>(bins), CalibrationBin{0, 0, 0});
  int64_t total = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    CalibrationBin& bin = all[std::clamp(static_cast<int>(cases[i].score * bins), 0, bins - 1)];
    bin.mean_probability += times[i] * cases[i].score;
    bin.share_positive += cases[i].positive ? times[i] : 0;
    bin.cases += times[i];
    total += times[i];
  }
  CalibrationCurve curve;
  for (CalibrationBin& bin : all) {
    if (bin.cases == 0) continue;
    const auto count = static_cast<double>(bin.cases);
    bin.mean_probability /= count;
    bin.share_positive /= count;
    curve.error += count / static_cast<double>(total) * std::abs(bin.mean_probability - bin.share_positive);
    curve.bins.push_back(bin);
  }
  return curve;
}

}  // namespace

nlohmann::ordered_json Estimate::to_json() const {
  return {{"value", number(value)}, {"low", number(low)}, {"high", number(high)}, {"n", cases}};
}

Estimate mean_of(const std::vector<ClusteredValue>& cases) {
  std::vector<std::string> clusters;
  for (const ClusteredValue& each : cases) clusters.push_back(each.cluster);
  return bootstrap(clusters, [&](const std::vector<int>& times) {
    double sum = 0, count = 0;
    for (size_t i = 0; i < cases.size(); ++i) sum += times[i] * cases[i].value, count += times[i];
    return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
  });
}

Estimate ratio_of(const std::vector<ClusteredPart>& cases) {
  std::vector<std::string> clusters;
  for (const ClusteredPart& each : cases) clusters.push_back(each.cluster);
  return bootstrap(clusters, [&](const std::vector<int>& times) {
    double part = 0, whole = 0;
    for (size_t i = 0; i < cases.size(); ++i) part += times[i] * cases[i].part, whole += times[i] * cases[i].whole;
    return whole > 0 ? part / whole : std::numeric_limits<double>::quiet_NaN();
  });
}

Estimate auc_of(const std::vector<ClusteredScore>& cases) {
  std::vector<std::string> clusters;
  for (const ClusteredScore& each : cases) clusters.push_back(each.cluster);
  const RankedScores ranked(cases);
  return bootstrap(clusters, [&](const std::vector<int>& times) { return ranked.auc(times); });
}

Estimate auc_gap_of(const std::vector<PairedScore>& cases) {
  std::vector<std::string> clusters;
  std::vector<ClusteredScore> first, other;
  for (const PairedScore& each : cases) {
    clusters.push_back(each.cluster);
    first.push_back({each.cluster, each.score, each.positive});
    other.push_back({each.cluster, each.other, each.positive});
  }
  const RankedScores ranked(first), ranked_other(other);
  return bootstrap(clusters, [&](const std::vector<int>& times) { return ranked.auc(times) - ranked_other.auc(times); });
}

std::vector<RocPoint> roc_curve(const std::vector<ClusteredScore>& cases, size_t most_points) {
  std::vector<ClusteredScore> sorted = cases;
  std::sort(sorted.begin(), sorted.end(), [](const ClusteredScore& a, const ClusteredScore& b) { return a.score > b.score; });
  const auto positives =
      static_cast<double>(std::count_if(sorted.begin(), sorted.end(), [](const ClusteredScore& each) { return each.positive; }));
  const double negatives = static_cast<double>(sorted.size()) - positives;
  if (positives == 0 || negatives == 0) return {};
  std::vector<RocPoint> points = {{0, 0}};
  double hits = 0, alarms = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    (sorted[i].positive ? hits : alarms) += 1;
    if (i + 1 == sorted.size() || sorted[i + 1].score != sorted[i].score)
      points.push_back({alarms / negatives, hits / positives});
  }
  if (points.size() <= most_points) return points;
  std::vector<RocPoint> thinned;
  for (size_t i = 0; i < most_points; ++i) thinned.push_back(points[i * (points.size() - 1) / (most_points - 1)]);
  return thinned;
}

CalibrationCurve calibration_of(const std::vector<ClusteredScore>& cases, int bins) {
  return calibration_curve(cases, std::vector<int>(cases.size(), 1), bins);
}

Estimate calibration_error_of(const std::vector<ClusteredScore>& cases, int bins) {
  std::vector<std::string> clusters;
  for (const ClusteredScore& each : cases) clusters.push_back(each.cluster);
  return bootstrap(clusters, [&](const std::vector<int>& times) {
    return cases.empty() ? std::numeric_limits<double>::quiet_NaN() : calibration_curve(cases, times, bins).error;
  });
}

double rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size())
    throw Error(Code::kInvalidArgument,
                "rank correlation of " + std::to_string(a.size()) + " and " + std::to_string(b.size()) + " values");
  const std::vector<double> ranks_a = ranks(a), ranks_b = ranks(b);
  const double mean = (static_cast<double>(a.size()) - 1) / 2;
  double both = 0, of_a = 0, of_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    both += (ranks_a[i] - mean) * (ranks_b[i] - mean);
    of_a += (ranks_a[i] - mean) * (ranks_a[i] - mean);
    of_b += (ranks_b[i] - mean) * (ranks_b[i] - mean);
  }
  return both / std::sqrt(of_a * of_b);
}

double token_recall(const std::string& said, const std::vector<std::string>& references) {
  double best = 0;
  for (const std::string& reference : references) {
    std::map<std::string, int> available;
    for (const std::string& word : answer_words(said)) ++available[word];
    const std::vector<std::string> wanted = answer_words(reference);
    if (wanted.empty()) continue;
    int found = 0;
    for (const std::string& word : wanted) found += available[word]-- > 0;
    best = std::max(best, static_cast<double>(found) / static_cast<double>(wanted.size()));
  }
  return best;
}

}  // namespace openbook::attribution
