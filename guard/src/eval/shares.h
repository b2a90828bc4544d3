// Shares with their counts and intervals, as every evaluation prints them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace openbook::guard {

// A share of cases, clustered: cases of one subject or article are not independent. Not thread-safe.
class Share {
 public:
  void add(const std::string& cluster, bool hit);
  void add_all(const Share& other) { cases_.insert(cases_.end(), other.cases_.begin(), other.cases_.end()); }

  int64_t hits() const;
  int64_t cases() const { return static_cast<int64_t>(cases_.size()); }

  // {"share", "hits", "of", "interval"}: the 95 % interval is the percentile bootstrap over clusters (1,000 draws, fixed seed).
  // Share and interval are null without cases.
  nlohmann::ordered_json to_json() const;

 private:
  struct Case {
    std::string cluster;
    bool hit;
  };
  std::vector<Case> cases_;
};

// Area under the ROC curve with both counts; null where a class is missing.
struct Separation {
  std::vector<double> scores;
  std::vector<bool> copied;

  void add(double score, bool is_copied);
  nlohmann::ordered_json to_json() const;  // {"auc", "copied", "recited"}
};

}  // namespace openbook::guard
