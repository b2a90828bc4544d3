#include "report/statistics.h"

#include <cmath>
#include <random>

#include "base/test_support.h"
#include "openbook/attribution/probe.h"

namespace openbook::attribution {
namespace {

TEST(Estimate, AMeanHasAnIntervalThatWidensWithClusters) {
  std::vector<ClusteredValue> apart, together;
  for (int i = 0; i < 100; ++i) {
    apart.push_back({std::to_string(i), i % 2 ? 1.0 : 0.0});
    together.push_back({std::to_string(i / 25 % 2), i / 25 % 2 ? 1.0 : 0.0});  // two subjects, each always the same
  }
  const Estimate narrow = mean_of(apart), wide = mean_of(together);
  EXPECT_DOUBLE_EQ(narrow.value, 0.5);
  EXPECT_EQ(narrow.cases, 100);
  EXPECT_NEAR(narrow.high - narrow.low, 2 * 1.96 * 0.05, 0.04);  // the normal interval of 100 independent cases
  EXPECT_DOUBLE_EQ(wide.low, 0);
  EXPECT_DOUBLE_EQ(wide.high, 1);
}

TEST(Estimate, WithoutCasesItIsNull) {
  EXPECT_TRUE(std::isnan(mean_of({}).value));
  EXPECT_TRUE(mean_of({}).to_json()["value"].is_null());
  EXPECT_TRUE(auc_of({{"a", 1, true}}).to_json()["value"].is_null());
}

TEST(Estimate, AucEqualsTheProbes) {
  std::mt19937_64 random(3);
  std::vector<ClusteredScore> cases;
  std::vector<double> scores;
  std::vector<bool> positive;
  for (int i = 0; i < 300; ++i) {
    cases.push_back({std::to_string(i / 3), static_cast<double>(random() % 40), random() % 3 == 0});
    scores.push_back(cases.back().score);
    positive.push_back(cases.back().positive);
  }
  const Estimate auc = auc_of(cases);
  EXPECT_NEAR(auc.value, roc_auc(scores, positive), 1e-12);
  EXPECT_LT(auc.low, auc.value);
  EXPECT_GT(auc.high, auc.value);
}

TEST(Estimate, TheGapOfTwoScorersIsTheirAucsDifferenceAndKnowsThatTheyShareCases) {
  std::mt19937_64 random(4);
  std::vector<PairedScore> pairs;
  std::vector<ClusteredScore> first, other;
  for (int i = 0; i < 200; ++i) {
    const bool positive = i % 2;
    const double score = static_cast<double>(random() % 100) + (positive ? 30 : 0),
                 near = score + static_cast<double>(random() % 5);
    pairs.push_back({std::to_string(i), score, near, positive});
    first.push_back({std::to_string(i), score, positive});
    other.push_back({std::to_string(i), near, positive});
  }
  const Estimate gap = auc_gap_of(pairs), alone = auc_of(first);
  EXPECT_NEAR(gap.value, alone.value - auc_of(other).value, 1e-12);
  EXPECT_LT(gap.high - gap.low, (alone.high - alone.low) / 3);  // drawn together, what is common cancels
  for (PairedScore& each : pairs) each.other = each.score;
  EXPECT_EQ(auc_gap_of(pairs).high, 0);
}

TEST(RocCurve, RunsFromNothingToEverythingAndItsAreaIsTheAuc) {
  const std::vector<ClusteredScore> cases = {
      {"a", .9, true}, {"b", .8, false}, {"c", .7, true}, {"d", .7, false}, {"e", .1, false}};
  const std::vector<RocPoint> points = roc_curve(cases);
  double area = 0;
  for (size_t i = 1; i < points.size(); ++i)
    area += (points[i].false_positive_rate - points[i - 1].false_positive_rate) *
            (points[i].true_positive_rate + points[i - 1].true_positive_rate) / 2;
  EXPECT_NEAR(area, auc_of(cases).value, 1e-12);
  EXPECT_EQ(points.back().true_positive_rate, 1);
  EXPECT_TRUE(roc_curve({{"a", 1, true}}).empty());
}

TEST(Calibration, ErrorIsTheMeanGapWeightedByCases) {
  // Nine cases at 0.9 of which six are positive, one at 0.1 that is not: (9 * |0.9 - 6/9| + 1 * 0.1) / 10.
  std::vector<ClusteredScore> cases = {{"x", 0.1, false}};
  for (int i = 0; i < 9; ++i) cases.push_back({std::to_string(i), 0.9, i < 6});
  const CalibrationCurve curve = calibration_of(cases);
  EXPECT_NEAR(curve.error, (9 * (0.9 - 6.0 / 9) + 0.1) / 10, 1e-12);
  EXPECT_EQ(curve.bins.size(), 2u);
}

TEST(Calibration, TheErrorsIntervalIsOverSubjects) {
  std::vector<ClusteredScore> apart, together;
  for (int i = 0; i < 200; ++i) {
    apart.push_back({std::to_string(i), 0.7, i % 10 < 6});
    together.push_back({std::to_string(i / 50), 0.7, i % 10 < 6});  // all subjects alike: every draw has the same share
  }
  const Estimate error = calibration_error_of(apart), alike = calibration_error_of(together);
  EXPECT_NEAR(error.value, 0.1, 1e-12);
  EXPECT_NEAR(error.value, calibration_of(apart).error, 1e-12);
  EXPECT_EQ(error.cases, 200);
  EXPECT_NEAR(error.high - error.low, 2 * 1.96 * std::sqrt(.6 * .4 / 200), 0.04);
  EXPECT_NEAR(alike.low, 0.1, 1e-9);
  EXPECT_NEAR(alike.high, 0.1, 1e-9);
  EXPECT_TRUE(calibration_error_of({}).to_json()["value"].is_null());
}

TEST(RankCorrelation, KnowsOrderReversalAndTies) {
  EXPECT_NEAR(rank_correlation({1, 2, 3, 4}, {10, 20, 30, 400}), 1, 1e-12);
  EXPECT_NEAR(rank_correlation({1, 2, 3, 4}, {4, 3, 2, 1}), -1, 1e-12);
  EXPECT_NEAR(rank_correlation({1, 2, 2, 3}, {1, 2, 3, 4}), 0.9486832980505138, 1e-12);  // scipy.stats.spearmanr
  EXPECT_ERROR(rank_correlation({1}, {1, 2}), Code::kInvalidArgument, "1 and 2 values");
}

TEST(TokenRecall, CountsWordsOfTheBestReference) {
  EXPECT_DOUBLE_EQ(token_recall("It was in the United States.", {"the United States", "USA"}), 1);
  EXPECT_DOUBLE_EQ(token_recall("States of mind", {"United States"}), 0.5);
  EXPECT_DOUBLE_EQ(token_recall("New", {"New New York"}), 1.0 / 3);
  EXPECT_DOUBLE_EQ(token_recall("", {"a"}), 0);
}

}  // namespace
}  // namespace openbook::attribution
