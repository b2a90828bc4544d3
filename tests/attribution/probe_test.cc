#include "openbook/attribution/probe.h"

#include <cmath>
#include <fstream>
#include <random>

#include "base/test_support.h"

namespace openbook::attribution {
namespace {

using nlohmann::json;

const json& golden() {
  static const json content = json::parse(std::ifstream(test::golden("probe.json")));
  return content;
}

std::vector<engine::HeadId> some_heads(int32_t count) {
  std::vector<engine::HeadId> heads;
  for (int32_t head = 0; head < count; ++head) heads.push_back({3, head});
  return heads;
}

std::vector<ProbeExample> examples_of(const json& probe) {
  std::vector<ProbeExample> examples;
  for (size_t row = 0; row < probe["evidence"].size(); ++row)
    examples.push_back(
        {probe["evidence"][row].get<std::vector<float>>(), probe["copied"][row].get<bool>(), probe["group"][row].get<int32_t>()});
  return examples;
}

TEST(Probe, FitEqualsScikitLearn) {
  for (const json& expected : golden()["probes"]) {
    const Probe probe = fit_probe(examples_of(expected), expected["l2"]);
    for (size_t i = 0; i < 5; ++i) {
      EXPECT_NEAR(probe.mean[i], expected["mean"][i].get<double>(), 1e-5 * (1 + std::abs(probe.mean[i])));
      EXPECT_NEAR(probe.scale[i], expected["scale"][i].get<double>(), 1e-5 * probe.scale[i]);
      EXPECT_NEAR(probe.weights[i], expected["weights"][i].get<double>(), 2e-5);
    }
    EXPECT_NEAR(probe.bias, expected["bias"].get<double>(), 2e-5);
  }
}

TEST(Probe, LogitsAndAucEqualScikitLearn) {
  for (const json& expected : golden()["probes"]) {
    const Probe probe = fit_probe(examples_of(expected), expected["l2"]);
    std::vector<double> logits;
    for (size_t row = 0; row < expected["evidence"].size(); ++row) {
      logits.push_back(probe.logit(expected["evidence"][row].get<std::vector<float>>()));
      EXPECT_NEAR(logits.back(), expected["logits"][row].get<double>(), 1e-4);
    }
    EXPECT_NEAR(roc_auc(logits, expected["copied"].get<std::vector<bool>>()), expected["auc"].get<double>(), 1e-12);
  }
}

TEST(Probe, ProbabilityUsesTheCalibrationOfTheTokensKind) {
  Probe probe{.heads = some_heads(1), .mean = {1}, .scale = {2}, .weights = {3}, .bias = 0.5};
  probe.first_token = {.slope = 2, .offset = -1};
  probe.continuation = {.slope = 1, .offset = 0};
  EXPECT_DOUBLE_EQ(probe.logit({3}), 3.5);
  EXPECT_DOUBLE_EQ(probe.probability_copied({3}, true), 1 / (1 + std::exp(-6.0)));
  EXPECT_DOUBLE_EQ(probe.probability_copied({3}, false), 1 / (1 + std::exp(-3.5)));
}

TEST(Probe, BadExamplesAreRefusedByName) {
  const auto fit = [](std::vector<ProbeExample> examples, double l2 = 1) { fit_probe(examples, l2); };
  EXPECT_ERROR(fit({{{1}, true}, {{2}, true}}), Code::kInvalidArgument, "2 copied and 0 recited");
  EXPECT_ERROR(fit({}), Code::kInvalidArgument, "0 copied and 0 recited");
  EXPECT_ERROR(fit({{{1}, true}, {{NAN}, false}}), Code::kInvalidArgument, "example 1, feature 0 is not finite");
  EXPECT_ERROR(fit({{{1}, true}, {{1, 2}, false}}), Code::kInvalidArgument, "example 1 has 2 features, expected 1");
  EXPECT_ERROR(fit({{{1}, true}, {{2}, false}}, 0), Code::kInvalidArgument, "l2");
  const Probe probe{.heads = some_heads(1), .mean = {0}, .scale = {1}, .weights = {1}};
  EXPECT_ERROR(probe.logit({1, 2}), Code::kInvalidArgument, "2 features, expected 1");
}

TEST(Platt, FitEqualsScikitLearnOnSmoothedTargets) {
  for (const json& expected : golden()["platt"]) {
    const PlattScaling scaling = fit_platt(expected["logits"], expected["copied"]);
    EXPECT_NEAR(scaling.slope, expected["slope"].get<double>(), 1e-5 * std::abs(scaling.slope));
    EXPECT_NEAR(scaling.offset, expected["offset"].get<double>(), 1e-5 * (1 + std::abs(scaling.offset)));
  }
}

TEST(Platt, SeparableClassesStayFinite) {
  const PlattScaling scaling = fit_platt({-2, -1, 1, 2}, {false, false, true, true});
  EXPECT_GT(scaling.slope, 0);
  EXPECT_LT(scaling.slope, 10);
  // Two of each kind: the targets are 3/4 and 1/4.
  EXPECT_NEAR(scaling.probability(2), 0.83, 0.05);
  EXPECT_NEAR(scaling.probability(0), 0.5, 1e-9);
}

TEST(Platt, LogitsThatNeverVaryGiveTheBaseRate) {
  const PlattScaling scaling = fit_platt({4, 4, 4}, {true, true, false});
  EXPECT_NEAR(scaling.probability(4), (3.0 / 4 + 3.0 / 4 + 1.0 / 3) / 3, 1e-6);
}

TEST(Platt, BadLogitsAreRefusedByName) {
  EXPECT_ERROR(fit_platt({1}, {true}), Code::kInvalidArgument, "0 recited");
  EXPECT_ERROR(fit_platt({1, INFINITY}, {true, false}), Code::kInvalidArgument, "logit 1");
  EXPECT_ERROR(fit_platt({1}, {true, false}), Code::kInvalidArgument, "1 logits and 2 labels");
}

TEST(RocAuc, EqualsScikitLearnWithTies) {
  for (const json& expected : golden()["auc"])
    EXPECT_NEAR(roc_auc(expected["scores"], expected["positive"]), expected["auc"].get<double>(), 1e-12);
}

TEST(RocAuc, AMissingClassIsNotANumber) {
  EXPECT_TRUE(std::isnan(roc_auc({1, 2}, {true, true})));
  EXPECT_TRUE(std::isnan(roc_auc({}, {})));
  EXPECT_ERROR(roc_auc({NAN, 1}, {true, false}), Code::kInvalidArgument, "score 0");
}

TEST(RocAuc, InvertedScoresGiveTheComplement) {
  std::mt19937 random(11);
  std::vector<double> scores, inverted;
  std::vector<bool> positive;
  for (int i = 0; i < 200; ++i) {
    scores.push_back(int(random() % 9));
    inverted.push_back(-scores.back());
    positive.push_back(random() % 3 == 0);
  }
  EXPECT_NEAR(roc_auc(scores, positive) + roc_auc(inverted, positive), 1, 1e-12);
}

TEST(ClopperPearson, EqualsTheBetaQuantile) {
  for (const json& expected : golden()["clopper_pearson"])
    EXPECT_NEAR(clopper_pearson_upper(expected["hits"], expected["trials"], expected["confidence"]),
                expected["upper"].get<double>(), 1e-9)
        << expected;
}

TEST(ClopperPearson, EdgesAndBadCounts) {
  EXPECT_EQ(clopper_pearson_upper(0, 0), 1);
  EXPECT_EQ(clopper_pearson_upper(7, 7), 1);
  EXPECT_NEAR(clopper_pearson_upper(0, 298), 0.01, 1e-4);  // what it takes to show 1 % at 95 %
  EXPECT_ERROR(clopper_pearson_upper(3, 2), Code::kInvalidArgument, "3 hits of 2");
  EXPECT_ERROR(clopper_pearson_upper(-1, 2), Code::kInvalidArgument, "-1 hits");
  EXPECT_ERROR(clopper_pearson_upper(1, 2, 1), Code::kInvalidArgument, "confidence");
}

}  // namespace
}  // namespace openbook::attribution
