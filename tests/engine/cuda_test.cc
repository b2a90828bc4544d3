// The same code on a CUDA device: tiny models, against the CPU.
#include "base/test_support.h"
#include "engine/tiny_llama.h"

namespace openbook::engine {
namespace {

using test::close;

class Cuda : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  void SetUp() override {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
  }
  std::string name() const { return std::get<0>(GetParam()); }
  std::string dtype() const { return std::get<1>(GetParam()); }
  // float32 products may run in TF32's stead only when asked to, so they agree closely.
  double tolerance() const { return dtype() == "float32" ? 1e-4 : 0.05; }
};
INSTANTIATE_TEST_SUITE_P(All, Cuda,
                         testing::Combine(testing::ValuesIn(test::kTinyLlamas), testing::Values("float32", "bfloat16")),
                         [](const auto& info) { return std::get<0>(info.param) + "_" + std::get<1>(info.param); });

TEST_P(Cuda, LogitsTapsAndEditsEqualTheCpu) {
  const test::Golden golden = test::golden_of(name(), /*edited=*/true);
  struct Run {
    at::Tensor prompt_logits, next_logits, z, pattern, resid_final;
  };
  const auto run = [&](const std::string& device) {
    const Decoder decoder(test::load_tiny(name(), {.device = device, .dtype = dtype()}));
    const Model& model = decoder.model();
    const HeadEdits edits = test::golden_edits(model);
    HeadTaps taps(model, test::all_heads(model), {2, 20});
    KvCache cache(model, 64);
    const std::vector<TokenId> prompt(golden.ids.begin(), golden.ids.begin() + 23);
    const at::Tensor first =
        decoder.step({{.tokens = prompt, .cache = &cache, .edits = &edits, .logits_of = LogitsOf::kAll}}).at(0).logits;
    const at::Tensor next =
        decoder.step({{.tokens = {golden.ids[23]}, .cache = &cache, .taps = &taps, .edits = &edits}}).at(0).logits;
    return Run{first, next, taps.z(), taps.pattern(), taps.resid_final()};
  };
  const Run cpu = run("cpu"), cuda = run("cuda");
  EXPECT_TRUE(cuda.next_logits.is_cuda());
  EXPECT_TRUE(close(cuda.prompt_logits, cpu.prompt_logits, tolerance()));
  EXPECT_TRUE(close(cuda.next_logits, cpu.next_logits, tolerance()));
  EXPECT_TRUE(close(cuda.z, cpu.z, tolerance() * 2));
  EXPECT_TRUE(close(cuda.pattern, cpu.pattern, tolerance() * 2));
  EXPECT_TRUE(close(cuda.resid_final, cpu.resid_final, tolerance()));
}

// Edits come, change and go between decoded tokens, taps are replaced, and the cache is cut: what was made for other ones before
// must not be used again.
TEST_P(Cuda, EveryDecodedTokenEqualsTheCpus) {
  const test::Golden golden = test::golden_of(name(), /*edited=*/true);
  struct Token {
    at::Tensor logits, z, pattern, resid_final;
  };
  const auto run = [&](const std::string& device) {
    const Decoder decoder(test::load_tiny(name(), {.device = device, .dtype = dtype()}));
    const Model& model = decoder.model();
    KvCache cache(model, 64);
    const std::vector<HeadId> all = test::all_heads(model);
    HeadTaps taps(model, all, {2, 20}), fewer(model, {all.back(), all.front()}, {0, 40});
    HeadEdits edits = test::golden_edits(model);
    const HeadEdits neutral(model);
    decoder.step({{.tokens = {golden.ids.begin(), golden.ids.begin() + 10}, .cache = &cache}});
    std::vector<Token> tokens;
    const auto decode = [&](HeadTaps* observed, const HeadEdits* edited) {
      const TokenId id = golden.ids[(10 + tokens.size()) % golden.ids.size()];
      const at::Tensor logits = decoder.step({{.tokens = {id}, .cache = &cache, .taps = observed, .edits = edited}}).at(0).logits;
      tokens.push_back({logits});
      if (observed != nullptr)
        tokens.back() = {logits, observed->z().clone(), observed->pattern().clone(), observed->resid_final().clone()};
    };
    for (int i = 0; i < 3; ++i) decode(&taps, &neutral);
    for (int i = 0; i < 3; ++i) decode(&taps, &edits);
    edits.set_gain({0, 0}, 0.5f);
    edits.set_bias({0, 1}, 2.0f);
    edits.set_biased_keys({{5, 9}});
    decode(&taps, &edits);
    decode(&fewer, &edits);
    decode(nullptr, &edits);
    cache.cut(12);
    for (int i = 0; i < 3; ++i) decode(&taps, nullptr);
    edits.from_position = cache.size() + 1;
    for (int i = 0; i < 3; ++i) decode(&fewer, &edits);
    edits = test::golden_edits(model);
    for (int i = 0; i < 2; ++i) decode(&taps, &edits);
    return tokens;
  };
  const std::vector<Token> cpu = run("cpu"), cuda = run("cuda");
  ASSERT_EQ(cpu.size(), cuda.size());
  for (size_t i = 0; i < cpu.size(); ++i) {
    EXPECT_TRUE(close(cuda[i].logits, cpu[i].logits, tolerance())) << "token " << i;
    if (!cpu[i].z.defined()) continue;
    EXPECT_TRUE(close(cuda[i].z, cpu[i].z, tolerance() * 2)) << "token " << i;
    EXPECT_TRUE(close(cuda[i].pattern, cpu[i].pattern, tolerance() * 2)) << "token " << i;
    EXPECT_TRUE(close(cuda[i].resid_final, cpu[i].resid_final, tolerance())) << "token " << i;
  }
}

// Logits that a caller keeps stay what they were, and a fork and its origin don't write into each other.
TEST_P(Cuda, ForksDecodeOnTheirOwn) {
  const Decoder decoder(test::load_tiny(name(), {.device = "cuda", .dtype = dtype()}));
  const std::vector<TokenId> ids = test::golden_of(name()).ids;
  KvCache origin(decoder.model(), 64), again(decoder.model(), 64);
  const auto decode = [&](KvCache& cache, TokenId id) { return decoder.step({{.tokens = {id}, .cache = &cache}}).at(0).logits; };
  for (KvCache* cache : {&origin, &again}) {
    decoder.step({{.tokens = ids, .cache = cache}});
    for (const TokenId id : {5, 6, 7}) decode(*cache, id);
  }
  const at::Tensor kept = decode(origin, 8), copy = kept.clone();
  KvCache fork = origin.fork(origin.size(), origin.capacity());
  for (const TokenId id : {9, 10, 11}) decode(origin, id);
  EXPECT_TRUE(at::equal(kept, copy));
  decode(again, 8);
  for (const TokenId id : {12, 13, 14}) EXPECT_TRUE(at::equal(decode(fork, id), decode(again, id)));
}

TEST_P(Cuda, ACutCacheEqualsOneNeverFilled) {
  const Decoder decoder(test::load_tiny(name(), {.device = "cuda", .dtype = dtype()}));
  const std::vector<TokenId> ids = test::golden_of(name()).ids;
  KvCache cut(decoder.model(), 64), fresh(decoder.model(), 64);
  for (KvCache* cache : {&cut, &fresh}) decoder.step({{.tokens = ids, .cache = cache}});
  decoder.step({{.tokens = {5, 6, 7}, .cache = &cut}});
  cut.cut(static_cast<int64_t>(ids.size()));
  const auto after_cut = decoder.step({{.tokens = {9, 10}, .cache = &cut}}),
             after_fresh = decoder.step({{.tokens = {9, 10}, .cache = &fresh}});
  EXPECT_TRUE(at::equal(after_cut[0].logits, after_fresh[0].logits));
}

}  // namespace
}  // namespace openbook::engine
