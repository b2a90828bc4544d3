#include "openbook/attribution/localizer.h"

#include <cmath>
#include <numeric>

#include "base/test_support.h"

namespace openbook::attribution {
namespace {

constexpr int64_t kKeys = 12;

Localizer two_heads(float nowhere_below = 0) {
  return {.heads = {{1, 0}, {1, 1}}, .weights = {0.75f, 0.25f}, .nowhere_below = nowhere_below};
}

std::vector<bool> all() { return std::vector<bool>(kKeys, true); }
std::vector<bool> none() { return std::vector<bool>(kKeys, false); }

at::Tensor rows(std::vector<std::vector<float>> values) {
  at::Tensor pattern = at::empty({int64_t(values.size()), int64_t(values[0].size())}, at::kFloat);
  for (size_t row = 0; row < values.size(); ++row)
    std::copy(values[row].begin(), values[row].end(), pattern.data_ptr<float>() + row * values[row].size());
  return pattern;
}

// Head 0 looks at the right key; head 1 at key 3 whatever the answer is; head 2 everywhere alike. All with noise.
std::vector<LocalizerExample> looking_examples(int count, int64_t seed) {
  at::manual_seed(seed);
  std::vector<LocalizerExample> examples;
  for (int i = 0; i < count; ++i) {
    const int64_t right = (5 * i + 1) % kKeys;
    at::Tensor pattern = at::rand({3, kKeys}) * 0.02;
    pattern[0][right] += 0.5;
    pattern[1][3] += 0.6;
    pattern[2] += 0.05;
    examples.push_back({pattern, all(), none(), {right}});
  }
  return examples;
}

// Mean log probability of the right keys in the choice by exp(scale * attention), at the best scale of a grid.
double best_mean_log_probability(const Localizer& localizer, const std::vector<LocalizerExample>& examples) {
  double best = -INFINITY;
  for (double scale = 1; scale < 1000; scale *= 1.02) {
    double sum = 0;
    for (const LocalizerExample& example : examples) {
      const std::vector<float> attention = localizer.look(example.pattern, example.candidate, example.alike).attention;
      double right = 0, all = 0;
      for (const int64_t key : example.right) right += std::exp(scale * attention[key]);
      for (const float value : attention) all += std::exp(scale * value);
      sum += std::log(right / all);
    }
    best = std::max(best, sum / static_cast<double>(examples.size()));
  }
  return best;
}

TEST(Localizer, PlaceIsTheBestCandidateOfTheWeightedAttention) {
  const Look look = two_heads().look(rows({{0.9f, 0.02f, 0.04f}, {0.0f, 0.4f, 0.1f}}), {false, true, true}, {true, false, false});
  ASSERT_EQ(look.attention.size(), 3u);
  EXPECT_EQ(look.attention[0], 0);  // most of the attention, and spelt alike, but no candidate
  EXPECT_FLOAT_EQ(look.attention[1], 0.115f);
  EXPECT_FLOAT_EQ(look.attention[2], 0.055f);
  EXPECT_EQ(look.echo, 0);
  EXPECT_EQ(two_heads().locate(look.attention), 1);
}

TEST(Localizer, ATokenThatIsSpeltAlikeCountsForMore) {
  const at::Tensor pattern = rows({{0.1f, 0.02f, 0.04f}, {0.0f, 0.4f, 0.1f}});
  const Look look = two_heads().look(pattern, {true, true, true}, {false, false, true});
  EXPECT_FLOAT_EQ(look.attention[1], 0.115f);
  EXPECT_FLOAT_EQ(look.attention[2], kAlike * 0.055f);
  EXPECT_EQ(two_heads().locate(look.attention), 2);
  EXPECT_FLOAT_EQ(look.echo, std::sqrt(0.055f));
  EXPECT_FLOAT_EQ(look.echo, two_heads().echo({0.04f, 0.1f}));
}

TEST(Localizer, NoPlaceWithoutEnoughAttention) {
  EXPECT_FALSE(two_heads().locate({0, 0, 0}));
  EXPECT_FALSE(two_heads().locate({}));
  EXPECT_FALSE(two_heads(0.2f).locate({0.1f, 0.19f}));
  EXPECT_TRUE(two_heads(0.2f).locate({0.1f, 0.2f}));
}

TEST(Localizer, TheBestPlaceIsThereHoweverLittleItWasLookedAt) {
  EXPECT_EQ(Localizer::best({0.1f, 0.19f}), 1);
  EXPECT_EQ(Localizer::best({0.1f, 0.19f, 0.19f}), 1);
  EXPECT_FALSE(Localizer::best({0, 0}));
  EXPECT_FALSE(Localizer::best({}));
}

TEST(Localizer, WrongShapesAreRefused) {
  EXPECT_ERROR(two_heads().look(rows({{1, 2}}), {true, true}, {true, true}), Code::kInvalidArgument,
               "[1, 2], expected [2 heads, 2 keys]");
  EXPECT_ERROR(two_heads().look(rows({{1, 2}, {1, 2}}), {true}, {true}), Code::kInvalidArgument, "1 keys");
  EXPECT_ERROR(two_heads().look(rows({{1, 2}, {1, 2}}), {true, true}, {true}), Code::kInvalidArgument, "1 spellings");
  EXPECT_ERROR(two_heads().look(at::Tensor(), {true}, {true}), Code::kInvalidArgument, "not a matrix");
  EXPECT_ERROR(two_heads().echo({1}), Code::kInvalidArgument, "1 heads");
}

TEST(LocalizerFit, TrustsTheHeadThatLooksAtTheRightKey) {
  const auto examples = looking_examples(60, 3);
  const Localizer fitted = fit_localizer({{0, 0}, {0, 1}, {0, 2}}, examples);
  EXPECT_NEAR(std::accumulate(fitted.weights.begin(), fitted.weights.end(), 0.0), 1, 1e-5);
  EXPECT_GT(fitted.weights[0], 0.95);
  for (const LocalizerExample& example : looking_examples(20, 4))
    EXPECT_EQ(fitted.locate(fitted.look(example.pattern, example.candidate, example.alike).attention), example.right[0]);
}

TEST(LocalizerFit, NoNeighbourOfTheFittedWeightsIsBetter) {
  at::manual_seed(5);
  std::vector<LocalizerExample> examples;  // two heads that are each right half of the time: the optimum is inside the simplex
  for (int i = 0; i < 80; ++i) {
    at::Tensor pattern = at::rand({2, kKeys}) * 0.1;
    pattern[i % 2][i % kKeys] += 0.1;
    examples.push_back({pattern, all(), none(), {i % kKeys}});
  }
  Localizer fitted = fit_localizer({{0, 0}, {0, 1}}, examples);
  const double best = best_mean_log_probability(fitted, examples);
  EXPECT_GT(fitted.weights[0], 0.3);
  EXPECT_LT(fitted.weights[0], 0.7);
  for (const float step : {-0.05f, 0.05f}) {
    Localizer moved = fitted;
    moved.weights = {fitted.weights[0] + step, fitted.weights[1] - step};
    EXPECT_LT(best_mean_log_probability(moved, examples), best);
  }
}

TEST(LocalizerFit, OnlyTheShareThatMayBeLostHasNoPlace) {
  std::vector<LocalizerExample> examples;
  for (int i = 1; i <= 100; ++i) {  // the best key of example i has attention i / 1000 under every weighting
    at::Tensor pattern = at::zeros({3, kKeys});
    pattern.select(1, i % kKeys).fill_(i / 1000.0);
    examples.push_back({pattern, all(), none(), {i % kKeys}});
  }
  for (const double lost : {0.0, 0.05, 0.5}) {
    const Localizer fitted = fit_localizer({{0, 0}, {0, 1}, {0, 2}}, examples, lost);
    int nowhere = 0;
    for (const LocalizerExample& example : examples)
      nowhere += !fitted.locate(fitted.look(example.pattern, example.candidate, example.alike).attention);
    EXPECT_EQ(nowhere, static_cast<int>(100 * lost));
  }
}

TEST(LocalizerFit, BadExamplesAreRefused) {
  const std::vector<engine::HeadId> heads = {{0, 0}, {0, 1}};
  const at::Tensor pattern = rows({{0.1f, 0.2f}, {0.3f, 0.1f}});
  const std::vector<bool> no = {false, false}, yes = {true, true};
  EXPECT_ERROR(fit_localizer({}, {}), Code::kInvalidArgument, "no heads");
  EXPECT_ERROR(fit_localizer(heads, {}), Code::kInvalidArgument, "no examples");
  EXPECT_ERROR(fit_localizer(heads, {{pattern, yes, no, {}}}), Code::kInvalidArgument, "an example has no right key");
  EXPECT_ERROR(fit_localizer(heads, {{pattern, {true, false}, no, {1}}}), Code::kInvalidArgument,
               "right key 1 is not a candidate");
  EXPECT_ERROR(fit_localizer(heads, {{pattern, yes, no, {2}}}), Code::kInvalidArgument, "right key 2");
  EXPECT_ERROR(fit_localizer(heads, {{rows({{1, 2}}), yes, no, {0}}}), Code::kInvalidArgument, "expected [2 heads");
  EXPECT_ERROR(fit_localizer(heads, {{rows({{NAN, 0}, {0, 1}}), yes, no, {0}}}), Code::kInvalidArgument, "not finite");
  EXPECT_ERROR(fit_localizer(heads, {{pattern, yes, no, {0}}}, 1), Code::kInvalidArgument, "may be lost is 1");
}

}  // namespace
}  // namespace openbook::attribution
