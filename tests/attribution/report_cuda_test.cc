// What the report's experiments compute on a CUDA device, against the CPU: the tensors that they rest on, and a whole part.
#include "attribution/knowing_llama.h"
#include "base/test_support.h"
#include "engine/tiny_llama.h"
#include "needle_scores.h"
#include "report/finders.h"
#include "report/removal.h"
#include "report/surgery.h"

namespace openbook::attribution {
namespace {

using engine::test::close;
using engine::test::load_tiny;

std::vector<engine::TokenId> prompt(int64_t tokens, int64_t step) {
  std::vector<engine::TokenId> ids;
  for (int64_t i = 0; i < tokens; ++i) ids.push_back(static_cast<engine::TokenId>(3 + i * step % 200));
  return ids;
}

class ReportTensorsCuda : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
    cuda_.emplace(load_tiny(GetParam(), {.device = "cuda"}));
  }

  const engine::Decoder cpu_{load_tiny(GetParam())};
  std::optional<engine::Decoder> cuda_;
};
INSTANTIATE_TEST_SUITE_P(TinyLlama, ReportTensorsCuda, testing::ValuesIn(engine::test::kTinyLlamas),
                         [](const auto& info) { return info.param; });

TEST_P(ReportTensorsCuda, AblationEffectEqualsTheCpu) {
  const std::vector<NextToken> cases = {{prompt(9, 7), 5}, {prompt(30, 11), 60}, {prompt(21, 13), 9}};
  const Laboratory on_cpu{.decoder = &cpu_}, on_cuda{.decoder = &*cuda_};
  const at::Tensor expected = ablation_effect(on_cpu, cases, "");
  EXPECT_GT(expected.abs().max().item<double>(), 0);
  EXPECT_TRUE(close(ablation_effect(on_cuda, cases, ""), expected, 1e-3));
}

TEST_P(ReportTensorsCuda, NeedleScoresEqualTheCpu) {
  std::vector<int64_t> needle(100);  // half of the prompt: the token said stands in it, whatever it is
  for (int64_t i = 0; i < 100; ++i) needle[static_cast<size_t>(i)] = i;
  const std::vector<NeedleTrial> trials = {{prompt(199, 1), needle, 2}, {prompt(180, 3), needle, 2}};
  const NeedleScores expected = needle_scores(cpu_, trials, {.max_tokens = 1}),
                     found = needle_scores(*cuda_, trials, {.max_tokens = 1});
  EXPECT_EQ(expected.trials, 2);
  EXPECT_TRUE(close(found.write, expected.write, 1e-3));
  EXPECT_TRUE(close(found.attention, expected.attention, 1e-3));
  EXPECT_TRUE(close(found.copy, expected.copy, 1e-6));
}

// A whole part, on a model whose answers hang by no rounding.
class ReportPartsCuda : public testing::Test {
 protected:
  void SetUp() override {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
    openbook::test::knowing_llama(facts_).write(folder_ / "model");
    atlas_ = openbook::test::reading_atlas(folder_ / "model");
  }

  Json figures(const std::string& device, Json (*experiment)(const Laboratory&)) const {
    const engine::Decoder decoder(engine::Model::load(folder_ / "model", {.device = device}));
    const ContrastRuns runs = run_contrast_set(CaseRunner(decoder), facts_, {}, {}, nullptr);
    EXPECT_GE(runs.known.size(), 20u) << device;
    const Json part = experiment({.decoder = &decoder, .facts = &facts_, .runs = &runs, .atlas = &atlas_});
    return part["figures"];
  }

  void expect_same_figures(Json (*experiment)(const Laboratory&)) const {
    const Json on_cpu = figures("cpu", experiment), on_cuda = figures("cuda", experiment);
    ASSERT_FALSE(on_cpu.empty());
    ASSERT_EQ(on_cuda.size(), on_cpu.size());
    for (size_t i = 0; i < on_cpu.size(); ++i) {
      const Json &expected = on_cpu[i]["estimate"]["value"], &found = on_cuda[i]["estimate"]["value"];
      EXPECT_EQ(on_cuda[i]["name"], on_cpu[i]["name"]);
      EXPECT_EQ(on_cuda[i]["estimate"]["n"], on_cpu[i]["estimate"]["n"]) << on_cpu[i];
      ASSERT_EQ(found.is_number(), expected.is_number()) << on_cpu[i];
      if (expected.is_number()) EXPECT_NEAR(found.get<double>(), expected.get<double>(), 1e-3) << on_cpu[i];
    }
  }

  const openbook::test::TemporaryFolder folder_;
  const ContrastSet facts_ = openbook::test::capital_facts();
  HeadAtlas atlas_;
};

TEST_F(ReportPartsCuda, SurgeryEqualsTheCpu) { expect_same_figures(run_surgery); }

}  // namespace
}  // namespace openbook::attribution
