#include "openbook/engine/sampler.h"

#include <cmath>
#include <limits>
#include <map>

#include "base/test_support.h"

namespace openbook::engine {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(Sampler, GreedyTakesTheSmallestIdAmongEquals) {
  Sampler sampler({});
  EXPECT_EQ(sampler.next(at::tensor({-1.0f, 2.5f, 0.0f, 2.5f})), 1);
  EXPECT_EQ(sampler.next(at::zeros({5})), 0);
}

TEST(Sampler, OneRowOfABatchIsTakenAsItIs) { EXPECT_EQ(Sampler({}).next(at::tensor({0.0f, 1.0f, 3.0f}).reshape({1, 3})), 2); }

TEST(Sampler, SameSeedSameTokens) {
  const at::Tensor logits = at::linspace(0, 3, 50);
  Sampler one({.temperature = 0.8, .seed = 11}), same({.temperature = 0.8, .seed = 11}), other({.temperature = 0.8, .seed = 12});
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const TokenId id = one.next(logits);
    EXPECT_EQ(id, same.next(logits));
    differs |= id != other.next(logits);
  }
  EXPECT_TRUE(differs);
}

// What mt19937_64 and the inverse distribution give by definition; another standard library must give the same.
TEST(Sampler, DrawsInvertTheCumulativeDistribution) {
  std::mt19937_64 random(5);
  Sampler sampler({.temperature = 1, .seed = 5});
  const at::Tensor logits = at::log(at::tensor({0.125f, 0.5f, 0.25f, 0.125f}));
  for (int i = 0; i < 50; ++i) {
    const double uniform = static_cast<double>(random() >> 11) / 9007199254740992.0;
    const TokenId expected = uniform < 0.125 ? 0 : uniform < 0.625 ? 1 : uniform < 0.875 ? 2 : 3;
    EXPECT_EQ(sampler.next(logits), expected) << uniform;
  }
}

TEST(Sampler, SharesFollowTheSoftmaxAtTheTemperature) {
  Sampler sampler({.temperature = 2, .seed = 1});
  const at::Tensor logits = at::tensor({0.0f, 2.0f, -kInfinity});
  std::map<TokenId, int> counts;
  for (int i = 0; i < 4000; ++i) ++counts[sampler.next(logits)];
  const double expected = 1 / (1 + std::exp(-1.0));  // softmax([0, 1])[1]
  EXPECT_NEAR(counts[1] / 4000.0, expected, 0.03);   // 4 standard errors
  EXPECT_EQ(counts[2], 0);
}

TEST(Sampler, ATinyTemperatureIsGreedyAndHugeLogitsDoNotOverflow) {
  Sampler cold({.temperature = 1e-300, .seed = 3});
  EXPECT_EQ(cold.next(at::tensor({1e30f, 3e38f, -3e38f})), 1);
}

TEST(Sampler, DamagedLogitsAreNotChosenFrom) {
  for (double temperature : {0.0, 1.0}) {
    Sampler sampler({.temperature = temperature});
    EXPECT_ERROR(sampler.next(at::tensor({0.0f, kNan, 1.0f})), Code::kInternal, "NaN");
    EXPECT_ERROR(sampler.next(at::tensor({0.0f, kInfinity})), Code::kInternal, "no finite maximum");
    EXPECT_ERROR(sampler.next(at::tensor({-kInfinity, -kInfinity})), Code::kInternal, "no finite maximum");
    EXPECT_ERROR(sampler.next(at::Tensor()), Code::kFailedPrecondition, "no logits");
    EXPECT_ERROR(sampler.next(at::empty({0})), Code::kFailedPrecondition, "no logits");
  }
}

TEST(Sampler, TemperatureMustBeFiniteAndNotNegative) {
  EXPECT_ERROR(Sampler({.temperature = -0.1}), Code::kInvalidArgument, "temperature");
  EXPECT_ERROR(Sampler({.temperature = kNan}), Code::kInvalidArgument, "temperature");
  EXPECT_ERROR(Sampler({.temperature = kInfinity}), Code::kInvalidArgument, "temperature");
}

}  // namespace
}  // namespace openbook::engine
