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
