// Numbers with their uncertainty, as every part of the report gives them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace openbook::attribution {

struct Estimate {
  double value = 0;          // NaN without cases
  double low = 0, high = 0;  // 95 %, percentile bootstrap over clusters, 1,000 draws with a fixed seed
  int64_t cases = 0;

  nlohmann::ordered_json to_json() const;  // {"value", "low", "high", "n"}; null for NaN
};

// Cases of one subject are not independent: they are drawn together.
struct ClusteredValue {
  std::string cluster;
  double value = 0;
};
Estimate mean_of(const std::vector<ClusteredValue>& cases);

// The parts of all cases by their wholes: a precision over answers of unequal length. NaN where there is no whole.
struct ClusteredPart {
  std::string cluster;
  double part = 0, whole = 0;
};
Estimate ratio_of(const std::vector<ClusteredPart>& cases);

struct ClusteredScore {
  std::string cluster;
  double score = 0;
  bool positive = false;
};
Estimate auc_of(const std::vector<ClusteredScore>& cases);  // area under the ROC curve, ties half

// How much larger the area is under one scorer than under another, on the same cases.
struct PairedScore {
  std::string cluster;
  double score = 0, other = 0;
  bool positive = false;
};
Estimate auc_gap_of(const std::vector<PairedScore>& cases);

struct RocPoint {
  double false_positive_rate, true_positive_rate;
};
std::vector<RocPoint> roc_curve(const std::vector<ClusteredScore>& cases, size_t most_points = 100);

// Expected calibration error of probabilities over equally wide bins (Naeini et al. 2015), and the bins.
struct CalibrationBin {
  double mean_probability, share_positive;
  int64_t cases;
};
struct CalibrationCurve {
  double error = 0;
  std::vector<CalibrationBin> bins;  // those that hold cases
};
CalibrationCurve calibration_of(const std::vector<ClusteredScore>& cases, int bins = 10);
// The error with its interval. A drawn sample is lumpier than the cases it is drawn from, so the interval lies rather high.
Estimate calibration_error_of(const std::vector<ClusteredScore>& cases, int bins = 10);

// Spearman's rank correlation; ties get their mean rank. Throws invalid_argument when sizes differ.
double rank_correlation(const std::vector<double>& a, const std::vector<double>& b);

// Graded token recall (Adlakha et al. 2023): lower case, no punctuation and articles, |multiset overlap| / |reference|, best over
// references.
double token_recall(const std::string& said, const std::vector<std::string>& references);

}  // namespace openbook::attribution
