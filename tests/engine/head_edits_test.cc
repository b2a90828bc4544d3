#include "openbook/engine/head_edits.h"

#include <limits>
#include <random>

#include "base/test_support.h"
#include "engine/tiny_llama.h"

namespace openbook::engine {
namespace {

using test::close;
using test::golden_of;
using test::load_tiny;
using test::run_whole;

constexpr double kTolerance = 1e-4;

at::Tensor run_in_two(const Decoder& decoder, const std::vector<TokenId>& ids, size_t cut, const HeadEdits& edits) {
  KvCache cache(decoder.model(), static_cast<int64_t>(ids.size()));
  const auto first =
      decoder.step({{.tokens = {ids.begin(), ids.begin() + cut}, .cache = &cache, .edits = &edits, .logits_of = LogitsOf::kAll}});
  const auto second =
      decoder.step({{.tokens = {ids.begin() + cut, ids.end()}, .cache = &cache, .edits = &edits, .logits_of = LogitsOf::kAll}});
  return at::cat({first[0].logits, second[0].logits});
}

class Edits : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, Edits, testing::ValuesIn(test::kTinyLlamas), [](const auto& info) { return info.param; });

TEST_P(Edits, GainAndBiasEqualTheReferenceWhereverStepsEnd) {
  const Decoder decoder(load_tiny(GetParam()));
  const test::Golden golden = golden_of(GetParam(), /*edited=*/true);
  const HeadEdits edits = test::golden_edits(decoder.model());
  EXPECT_TRUE(close(run_whole(decoder, golden.ids, &edits), golden.logits, kTolerance));
  // Before, at and behind from_position (9), and single tokens at either end.
  for (const size_t cut : {1, 5, 8, 9, 10, 13, 23}) {
    SCOPED_TRACE(cut);
    EXPECT_TRUE(close(run_in_two(decoder, golden.ids, cut, edits), golden.logits, kTolerance));
  }
}

TEST_P(Edits, PositionsBeforeTheEditsAreUntouched) {
  const Decoder decoder(load_tiny(GetParam()));
  const test::Golden golden = golden_of(GetParam());
  const HeadEdits edits = test::golden_edits(decoder.model());
  const at::Tensor edited = run_whole(decoder, golden.ids, &edits);
  EXPECT_TRUE(close(edited.narrow(0, 0, 9), golden.logits.narrow(0, 0, 9), kTolerance));
  EXPECT_FALSE(close(edited.narrow(0, 9, 15), golden.logits.narrow(0, 9, 15), 0.01));
}

// Longer than the blocks that a biased layer is worked off in.
TEST(HeadEdits, LongBiasedPromptsEqualSingleTokens) {
  const Decoder decoder(load_tiny("tied_llama3_rope"));
  std::mt19937_64 random(7);
  std::vector<TokenId> ids(300);
  for (TokenId& id : ids) id = static_cast<TokenId>(random() % 276);
  HeadEdits edits = test::golden_edits(decoder.model());
  edits.from_position = 20;
  edits.set_biased_keys({{5, 40}, {200, 260}});
  const at::Tensor whole = run_whole(decoder, ids, &edits);
  KvCache cache(decoder.model(), 300);
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto result = decoder.step({{.tokens = {ids[i]}, .cache = &cache, .edits = &edits}});
    ASSERT_TRUE(close(result[0].logits[0], whole[static_cast<int64_t>(i)], kTolerance)) << "position " << i;
  }
}

TEST(HeadEdits, NeutralEditsTakeTheVeryPathOfNone) {
  const Decoder decoder(load_tiny("plain"));
  const std::vector<TokenId> ids = golden_of("plain").ids;
  const at::Tensor plain = run_whole(decoder, ids);
  HeadEdits edits(decoder.model());
  EXPECT_TRUE(at::equal(run_whole(decoder, ids, &edits), plain));
  edits.set_bias({0, 1}, 3);  // toward no keys
  EXPECT_TRUE(edits.neutral());
  EXPECT_TRUE(at::equal(run_whole(decoder, ids, &edits), plain));
  edits.set_biased_keys({{0, 1}});  // the first token is never biased
  EXPECT_TRUE(edits.neutral());
  edits.set_biased_keys({{3, 5}});
  EXPECT_FALSE(edits.neutral());
  EXPECT_TRUE(edits.edits_bias(0));
  EXPECT_FALSE(edits.edits_bias(1));
  edits.set_bias({0, 1}, 0);
  edits.set_gain({1, 0}, 0.5f);
  EXPECT_TRUE(edits.edits_gain(1));
  edits.set_gain({1, 0}, 1);
  EXPECT_TRUE(edits.neutral());
  EXPECT_TRUE(at::equal(run_whole(decoder, ids, &edits), plain));
}

TEST(HeadEdits, ClearMakesThemNeutral) {
  const Decoder decoder(load_tiny("plain"));
  const std::vector<TokenId> ids = golden_of("plain").ids;
  HeadEdits edits = test::golden_edits(decoder.model());
  EXPECT_FLOAT_EQ(edits.gain({0, 1}), 0.25f);
  EXPECT_FLOAT_EQ(edits.bias({1, 2}), 3.0f);
  edits.clear();
  EXPECT_TRUE(edits.neutral());
  EXPECT_FLOAT_EQ(edits.gain({0, 1}), 1);
  EXPECT_TRUE(at::equal(run_whole(decoder, ids, &edits), run_whole(decoder, ids)));
}

TEST(HeadEdits, WrongValuesAreRefusedAndChangeNothing) {
  const auto model = load_tiny("plain");
  HeadEdits edits(*model);
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_ERROR(edits.set_gain({0, 4}, 1), Code::kInvalidArgument, "can't edit head L0H4; the model has 2 layers of 4 heads");
  EXPECT_ERROR(edits.set_bias({-1, 0}, 1), Code::kInvalidArgument, "L-1H0");
  EXPECT_ERROR(edits.set_gain({0, 0}, -0.5f), Code::kInvalidArgument, "gain of head L0H0 is -0.5");
  EXPECT_ERROR(edits.set_gain({0, 0}, kNan), Code::kInvalidArgument, "nan");
  EXPECT_ERROR(edits.set_bias({0, 0}, kInfinity), Code::kInvalidArgument, "should be finite");
  EXPECT_TRUE(edits.neutral());
}

}  // namespace
}  // namespace openbook::engine
