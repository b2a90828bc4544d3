// The formulas of source tracking's baselines on attention made by hand.
#include "report/signals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace openbook::attribution {
namespace {

double value(const at::Tensor& of, int64_t head = 0) { return of[0][head].item<double>(); }

// Positions 0 (sink), 1 to 3 (passages), 4 and 5 (later).
class Baselines : public testing::Test {
 protected:
  const at::Tensor pattern_ =
      at::tensor({.2f, .1f, .4f, .1f, .15f, .05f, /* second head */ .5f, .0f, .1f, .1f, .2f, .1f}).view({1, 2, 6});
  const at::Tensor passages_ = at::tensor({0.f, 1.f, 1.f, 1.f, 0.f, 0.f}).view({1, 6}),
                   later_ = at::tensor({0.f, 0.f, 0.f, 0.f, 1.f, 1.f}).view({1, 6});
};

TEST_F(Baselines, LookbackRatioIsOfMeansAndLeavesTheSinkOut) {
  const at::Tensor ratio = lookback_ratio(pattern_, passages_, later_);
  EXPECT_NEAR(value(ratio, 0), 0.2 / (0.2 + 0.1), 1e-6);
  EXPECT_NEAR(value(ratio, 1), (0.2 / 3) / (0.2 / 3 + 0.15), 1e-6);
}

TEST_F(Baselines, CopyScoreAsksForTheTokenAtTheMostAttendedPosition) {
  EXPECT_EQ(value(copy_score(pattern_, at::tensor({0.f, 0.f, 1.f, 0.f, 0.f, 0.f}).view({1, 6}))), 1);
  EXPECT_EQ(value(copy_score(pattern_, at::tensor({0.f, 1.f, 0.f, 1.f, 0.f, 0.f}).view({1, 6}))), 0);
  EXPECT_EQ(value(copy_score(pattern_, passages_), 1), 0) << "the sink is the most attended";
}

TEST_F(Baselines, WriteScoreTakesOffWhatAsManyOtherPositionsWrite) {
  const at::Tensor written = at::tensor({1.f, 2.f, 3.f, 4.f, 5.f, 6.f}).view({1, 1, 6});
  EXPECT_NEAR(value(write_score(written, passages_, 1 - passages_)), 9 - 3.0 / 3 * 12, 1e-6);
  EXPECT_NEAR(value(write_score(written, passages_, later_)), 9 - 3.0 / 2 * 11, 1e-6);
}

TEST(Redeep, ExternalContextAveragesATenthOfEachRowsOwnPrompt) {
  // Two rows of 20 and 10 tokens: two and one of the most attended. Token i's state points at angle i.
  at::Tensor pattern = at::zeros({2, 1, 20}), prompt = at::zeros({2, 20}), states = at::zeros({2, 20, 2}),
             own = at::zeros({2, 2});
  prompt[0].fill_(1);
  prompt[1].narrow(0, 0, 10).fill_(1);
  for (int64_t row = 0; row < 2; ++row)
    for (int64_t i = 0; i < 20; ++i) states[row][i][0] = std::cos(0.1 * i), states[row][i][1] = std::sin(0.1 * i);
  pattern[0][0][2] = .5, pattern[0][0][6] = .3, pattern[0][0][9] = .2;
  pattern[1][0][3] = .4, pattern[1][0][8] = .3, pattern[1][0][15] = .9;  // behind the prompt's end
  own[0][0] = own[1][0] = 1;                                             // angle 0
  const at::Tensor scores = external_context(pattern, prompt, states, own);
  EXPECT_NEAR(scores[0][0].item<double>(), std::cos(0.4), 1e-6) << "the middle of tokens 2 and 6";
  EXPECT_NEAR(scores[1][0].item<double>(), std::cos(0.3), 1e-6) << "token 3 alone";
}

TEST(Redeep, ParametricKnowledgeIsTheJensenShannonDivergence) {
  const auto logs = [](double first) { return at::tensor({first, 1 - first}, at::kDouble).log().view({1, 2}); };
  EXPECT_NEAR(jensen_shannon(logs(.3), logs(.3)).item<double>(), 0, 1e-12);
  EXPECT_NEAR(jensen_shannon(logs(1 - 1e-12), logs(1e-12)).item<double>(), std::numbers::ln2, 1e-9);
  const double expected = (.8 * std::log(.8 / .5) + .2 * std::log(.2 / .5) + .2 * std::log(.2 / .5) + .8 * std::log(.8 / .5)) / 2;
  EXPECT_NEAR(jensen_shannon(logs(.8), logs(.2)).item<double>(), expected, 1e-12);
}

}  // namespace
}  // namespace openbook::attribution
