#include "openbook/engine/decoder.h"

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

std::vector<TokenId> slice(const std::vector<TokenId>& ids, size_t begin, size_t end) {
  return {ids.begin() + begin, ids.begin() + end};
}

std::vector<TokenId> random_ids(size_t count, const Model& model, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<TokenId> ids(count);
  for (TokenId& id : ids) id = static_cast<TokenId>(random() % model.config().vocabulary);
  return ids;
}

// The logits of every token when `ids` come in steps that end at `cuts`.
at::Tensor run_in_steps(const Decoder& decoder, const std::vector<TokenId>& ids, std::vector<size_t> cuts,
                        const HeadEdits* edits = nullptr) {
  KvCache cache(decoder.model(), static_cast<int64_t>(ids.size()));
  std::vector<at::Tensor> logits;
  cuts.push_back(ids.size());
  size_t begin = 0;
  for (const size_t end : cuts) {
    logits.push_back(
        decoder.step({{.tokens = slice(ids, begin, end), .cache = &cache, .edits = edits, .logits_of = LogitsOf::kAll}})
            .at(0)
            .logits);
    begin = end;
  }
  return at::cat(logits);
}

class TinyLlama : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, TinyLlama, testing::ValuesIn(test::kTinyLlamas), [](const auto& info) { return info.param; });

TEST_P(TinyLlama, LogitsEqualTransformers) {
  const Decoder decoder(load_tiny(GetParam()));
  const test::Golden golden = golden_of(GetParam());
  EXPECT_TRUE(close(run_whole(decoder, golden.ids), golden.logits, kTolerance));
}

TEST_P(TinyLlama, StepsOfAnySizeEqualOneStep) {
  const Decoder decoder(load_tiny(GetParam()));
  const test::Golden golden = golden_of(GetParam());
  std::vector<size_t> one_by_one;
  for (size_t i = 1; i < golden.ids.size(); ++i) one_by_one.push_back(i);
  for (const auto& cuts : {one_by_one, std::vector<size_t>{5}, std::vector<size_t>{1, 9, 10}})
    EXPECT_TRUE(close(run_in_steps(decoder, golden.ids, cuts), golden.logits, kTolerance));
}

TEST_P(TinyLlama, Bfloat16IsNear) {
  const Decoder decoder(load_tiny(GetParam(), {.dtype = "bfloat16"}));
  const test::Golden golden = golden_of(GetParam());
  const at::Tensor logits = run_whole(decoder, golden.ids);
  EXPECT_EQ(logits.scalar_type(), at::kFloat);
  EXPECT_TRUE(close(logits, golden.logits, 0.05));
  EXPECT_TRUE(close(run_in_steps(decoder, golden.ids, {7, 8, 9}), golden.logits, 0.05));
}

TEST(Decoder, LastLogitsAreTheLastRowOfAll) {
  const Decoder decoder(load_tiny("plain"));
  const test::Golden golden = golden_of("plain");
  KvCache cache(decoder.model(), 24);
  const at::Tensor logits = decoder.step({{.tokens = golden.ids, .cache = &cache}}).at(0).logits;
  EXPECT_EQ(logits.sizes(), (std::vector<int64_t>{1, decoder.model().config().vocabulary}));
  EXPECT_TRUE(close(logits[0], golden.logits[-1], kTolerance));
}

TEST(Decoder, ABatchOfDifferentLengthsEqualsEachAlone) {
  const Decoder decoder(load_tiny("tied_llama3_rope"));
  const test::Golden golden = golden_of("tied_llama3_rope");
  const HeadEdits edits = test::golden_edits(decoder.model());
  const at::Tensor edited = golden_of("tied_llama3_rope", true).logits;
  KvCache first(decoder.model(), 24), second(decoder.model(), 24), third(decoder.model(), 100);
  decoder.step({{.tokens = slice(golden.ids, 0, 10), .cache = &second}});
  const auto results = decoder.step({{.tokens = golden.ids, .cache = &first, .logits_of = LogitsOf::kAll},
                                     {.tokens = slice(golden.ids, 10, 11), .cache = &second},
                                     {.tokens = golden.ids, .cache = &third, .edits = &edits, .logits_of = LogitsOf::kAll}});
  EXPECT_TRUE(close(results.at(0).logits, golden.logits, kTolerance));
  EXPECT_TRUE(close(results.at(1).logits[0], golden.logits[10], kTolerance));
  EXPECT_TRUE(close(results.at(2).logits, edited, kTolerance));
  EXPECT_EQ(first.size(), 24);
  EXPECT_EQ(second.size(), 11);
}

TEST(Decoder, AWrongBatchIsRefusedAndMovesNoCache) {
  const Decoder decoder(load_tiny("plain"));
  const auto other = load_tiny("tied_llama3_rope");  // its heads are wider
  const auto coarse = load_tiny("plain", {.dtype = "bfloat16"});
  KvCache good(decoder.model(), 8), small(decoder.model(), 2), foreign(*other, 8), coarse_cache(*coarse, 8);
  HeadTaps foreign_taps(*other, {{0, 0}}, {0, 4}), taps(decoder.model(), {{0, 0}}, {0, 4});
  const Sequence fine{.tokens = {1, 2}, .cache = &good};
  const struct {
    Sequence bad;
    Code code;
    std::string message;
  } rows[] = {
      {{.tokens = {}, .cache = &small}, Code::kInvalidArgument, "has no tokens"},
      {{.tokens = {1}}, Code::kInvalidArgument, "has no cache"},
      {{.tokens = {1}, .cache = &good}, Code::kInvalidArgument, "share one cache"},
      {{.tokens = {1, 276}, .cache = &small}, Code::kInvalidArgument, "token id 276 is outside the vocabulary of 276"},
      {{.tokens = {-1}, .cache = &small}, Code::kInvalidArgument, "token id -1"},
      {{.tokens = {1, 2, 3}, .cache = &small}, Code::kOutOfRange, "3 tokens after position 0 do not fit into the cache of 2"},
      {{.tokens = {1}, .cache = &foreign}, Code::kInvalidArgument, "cache was made for another model"},
      {{.tokens = {1}, .cache = &coarse_cache}, Code::kInvalidArgument, "cache was made for another model"},
      {{.tokens = {1}, .cache = &small, .taps = &foreign_taps}, Code::kInvalidArgument, "taps were made for another model"},
  };
  for (const auto& row : rows) {
    EXPECT_ERROR(decoder.step({fine, row.bad}), row.code, row.message);
    EXPECT_EQ(good.size(), 0);
    EXPECT_EQ(small.size(), 0);
  }
  KvCache another(decoder.model(), 8);
  EXPECT_ERROR(decoder.step({{.tokens = {1}, .cache = &good, .taps = &taps}, {.tokens = {1}, .cache = &another, .taps = &taps}}),
               Code::kInvalidArgument, "share one set of taps");
  EXPECT_TRUE(decoder.step({}).empty());
}

TEST(KvCache, CutEqualsNeverFilled) {
  const Decoder decoder(load_tiny("plain"));
  const std::vector<TokenId> prompt = random_ids(40, decoder.model(), 1), wrong = random_ids(17, decoder.model(), 2),
                             right = random_ids(9, decoder.model(), 3);
  KvCache cut(decoder.model(), 80), fresh(decoder.model(), 80);
  decoder.step({{.tokens = prompt, .cache = &cut}});
  decoder.step({{.tokens = wrong, .cache = &cut}});
  cut.cut(40);
  decoder.step({{.tokens = prompt, .cache = &fresh}});
  const auto after_cut = decoder.step({{.tokens = right, .cache = &cut, .logits_of = LogitsOf::kAll}});
  const auto after_fresh = decoder.step({{.tokens = right, .cache = &fresh, .logits_of = LogitsOf::kAll}});
  EXPECT_TRUE(at::equal(after_cut[0].logits, after_fresh[0].logits));
  EXPECT_TRUE(at::equal(cut.keys().narrow(2, 0, 49), fresh.keys().narrow(2, 0, 49)));
  EXPECT_TRUE(at::equal(cut.values().narrow(2, 0, 49), fresh.values().narrow(2, 0, 49)));
}

TEST(KvCache, AForkIsIndependent) {
  const Decoder decoder(load_tiny("plain"));
  const std::vector<TokenId> prompt = random_ids(20, decoder.model(), 4);
  KvCache cache(decoder.model(), 40);
  decoder.step({{.tokens = prompt, .cache = &cache}});
  KvCache fork = cache.fork(cache.size(), cache.capacity());
  decoder.step({{.tokens = random_ids(5, decoder.model(), 5), .cache = &fork}});
  fork.cut(20);
  EXPECT_EQ(cache.size(), 20);
  const auto from_cache = decoder.step({{.tokens = {7}, .cache = &cache}});
  const auto from_fork = decoder.step({{.tokens = {7}, .cache = &fork}});
  EXPECT_TRUE(at::equal(from_cache[0].logits, from_fork[0].logits));

  KvCache short_fork = cache.fork(12, 13);
  cache.cut(12);
  const auto from_cut = decoder.step({{.tokens = {9}, .cache = &cache}});
  EXPECT_TRUE(at::equal(from_cut[0].logits, decoder.step({{.tokens = {9}, .cache = &short_fork}})[0].logits));
  EXPECT_EQ(short_fork.capacity(), 13);
  EXPECT_ERROR(cache.fork(14, 20), Code::kOutOfRange, "14 of a cache's 13 positions");
  EXPECT_ERROR(cache.fork(10, 9), Code::kOutOfRange, "into one of 9");
}

TEST(KvCache, SizesOutOfRangeAreRefused) {
  const auto model = load_tiny("plain");
  EXPECT_ERROR(KvCache(*model, 0), Code::kInvalidArgument, "a cache of 0 positions; the model has 1 to 512");
  EXPECT_ERROR(KvCache(*model, 513), Code::kInvalidArgument, "a cache of 513 positions");
  KvCache cache(*model, 4);
  EXPECT_ERROR(cache.cut(1), Code::kOutOfRange, "can't cut a cache of 0 positions to 1");
  EXPECT_ERROR(cache.cut(-1), Code::kOutOfRange, "to -1");
}

}  // namespace
}  // namespace openbook::engine
