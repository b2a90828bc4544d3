#include "openbook/engine/head_taps.h"

#include "base/test_support.h"
#include "engine/tiny_llama.h"

namespace openbook::engine {
namespace {

using test::close;
using test::golden_of;
using test::load_tiny;

constexpr double kTolerance = 1e-4;

class Taps : public testing::TestWithParam<std::tuple<std::string, bool>> {};
INSTANTIATE_TEST_SUITE_P(All, Taps, testing::Combine(testing::ValuesIn(test::kTinyLlamas), testing::Bool()),
                         [](const auto& info) { return std::get<0>(info.param) + (std::get<1>(info.param) ? "_edited" : ""); });

// [layer, head] of the golden as taps order all heads.
at::Tensor at_position(const at::Tensor& golden_z, int64_t position) { return golden_z.select(1, position).flatten(0, 1); }

TEST_P(Taps, ZAndPatternEqualTransformersAtEveryPosition) {
  const auto& [name, edited] = GetParam();
  const Decoder decoder(load_tiny(name));
  const Model& model = decoder.model();
  const test::Golden golden = golden_of(name, edited);
  const HeadEdits edits = edited ? test::golden_edits(model) : HeadEdits(model);
  const auto tokens = static_cast<int64_t>(golden.ids.size());
  HeadTaps taps(model, test::all_heads(model), {0, tokens});
  // Steps of one token, and steps that end at every position from an empty cache: the two paths of attention.
  KvCache growing(model, tokens);
  for (int64_t position = 0; position < tokens; ++position) {
    const auto check = [&](const char* how) {
      SCOPED_TRACE(std::string(how) + " to position " + std::to_string(position));
      EXPECT_TRUE(close(taps.z(), at_position(golden.z, position), kTolerance));
      EXPECT_TRUE(close(taps.pattern(), golden.pattern.select(2, position).flatten(0, 1), kTolerance));
      if (!edited) {
        EXPECT_TRUE(close(taps.resid_final(), golden.resid_final[position], kTolerance));
      }
    };
    decoder.step({{.tokens = {golden.ids[position]}, .cache = &growing, .taps = &taps, .edits = &edits}});
    check("one by one");
    KvCache fresh(model, tokens);
    decoder.step(
        {{.tokens = {golden.ids.begin(), golden.ids.begin() + position + 1}, .cache = &fresh, .taps = &taps, .edits = &edits}});
    check("at once");
  }
}

TEST(HeadTaps, ChosenHeadsKeepTheirOrderAndKeysTheirRange) {
  const Decoder decoder(load_tiny("plain"));
  const test::Golden golden = golden_of("plain");
  HeadTaps taps(decoder.model(), {{1, 3}, {0, 2}}, {6, 20});
  KvCache cache(decoder.model(), 24);
  const std::vector<TokenId> prompt(golden.ids.begin(), golden.ids.begin() + 11);
  decoder.step({{.tokens = prompt, .cache = &cache, .taps = &taps}});
  const auto row = [&](int64_t layer, int64_t head) { return golden.pattern[layer][head][10].narrow(0, 6, 5); };
  EXPECT_TRUE(close(taps.pattern().narrow(1, 0, 5), at::stack({row(1, 3), row(0, 2)}), kTolerance));
  EXPECT_EQ(taps.pattern().narrow(1, 5, 9).abs().max().item<float>(), 0);  // keys that are not there yet
  EXPECT_TRUE(close(taps.z(), at::stack({golden.z[1][10][3], golden.z[0][10][2]}), kTolerance));
}

TEST(HeadTaps, TappingChangesNothing) {
  const Decoder decoder(load_tiny("plain"));
  const std::vector<TokenId> ids = golden_of("plain").ids;
  HeadTaps taps(decoder.model(), test::all_heads(decoder.model()), {0, 24});
  KvCache with(decoder.model(), 24), without(decoder.model(), 24);
  const auto tapped = decoder.step({{.tokens = ids, .cache = &with, .taps = &taps}});
  const auto plain = decoder.step({{.tokens = ids, .cache = &without}});
  EXPECT_TRUE(at::equal(tapped[0].logits, plain[0].logits));
}

TEST(HeadTaps, Bfloat16IsNear) {
  const Decoder decoder(load_tiny("plain", {.dtype = "bfloat16"}));
  const test::Golden golden = golden_of("plain", true);
  const HeadEdits edits = test::golden_edits(decoder.model());
  HeadTaps taps(decoder.model(), test::all_heads(decoder.model()), {0, 24});
  KvCache cache(decoder.model(), 24);
  decoder.step({{.tokens = golden.ids, .cache = &cache, .taps = &taps, .edits = &edits}});
  EXPECT_TRUE(close(taps.z(), at_position(golden.z, 23), 0.1));
  EXPECT_TRUE(close(taps.pattern(), golden.pattern.select(2, 23).flatten(0, 1), 0.1));
}

TEST(HeadTaps, NoHeadsAndNoKeysAreFine) {
  const Decoder decoder(load_tiny("plain"));
  const test::Golden golden = golden_of("plain");
  HeadTaps no_heads(decoder.model(), {}, {0, 4}), no_keys(decoder.model(), {{0, 1}}, {});
  KvCache first(decoder.model(), 24), second(decoder.model(), 24);
  decoder.step(
      {{.tokens = golden.ids, .cache = &first, .taps = &no_heads}, {.tokens = golden.ids, .cache = &second, .taps = &no_keys}});
  EXPECT_TRUE(close(no_heads.resid_final(), golden.resid_final[23], kTolerance));
  EXPECT_TRUE(close(no_keys.z()[0], golden.z[0][23][1], kTolerance));
  EXPECT_EQ(no_keys.pattern().sizes(), (std::vector<int64_t>{1, 0}));
}

TEST(HeadTaps, WrongHeadsAndKeysAreRefused) {
  const auto model = load_tiny("plain");
  EXPECT_ERROR(HeadTaps(*model, {{2, 0}}, {0, 4}), Code::kInvalidArgument, "no head L2H0; it has 2 layers of 4 heads");
  EXPECT_ERROR(HeadTaps(*model, {{0, -1}}, {0, 4}), Code::kInvalidArgument, "no head L0H-1");
  EXPECT_ERROR(HeadTaps(*model, {{0, 1}, {0, 1}}, {0, 4}), Code::kInvalidArgument, "L0H1 is tapped twice");
  EXPECT_ERROR(HeadTaps(*model, {{0, 1}}, {-1, 4}), Code::kInvalidArgument, "positions [-1, 4)");
  EXPECT_ERROR(HeadTaps(*model, {{0, 1}}, {5, 4}), Code::kInvalidArgument, "positions [5, 4)");
  EXPECT_ERROR(HeadTaps(*model, {{0, 1}}, {0, 513}), Code::kInvalidArgument, "the model has 512");
}

TEST(HeadId, IsReadAsItIsWritten) {
  EXPECT_EQ(to_string({18, 6}), "L18H6");
  EXPECT_EQ(parse_head_id("L18H6"), (HeadId{18, 6}));
  for (const char* text : {"", "L", "L1", "H1L1", "L1H", "L-1H2", "L1H2 ", "L99999999999H1", "l1h1", "L1H+2"})
    EXPECT_ERROR(parse_head_id(text), Code::kInvalidArgument, "is not a head");
}

}  // namespace
}  // namespace openbook::engine
