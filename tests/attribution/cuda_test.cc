// Relevance and evidence on a CUDA device, against the CPU.
#include "attribution/relevance_golden.h"
#include "base/test_support.h"
#include "openbook/attribution/evidence.h"
#include "openbook/attribution/localizer.h"
#include "openbook/attribution/relevance.h"

namespace openbook::attribution {
namespace {

using engine::test::close;
using engine::test::load_tiny;

class AttributionCuda : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  void SetUp() override {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
  }
  std::shared_ptr<const engine::Model> load(const std::string& device) const {
    return load_tiny(std::get<0>(GetParam()), {.device = device, .dtype = std::get<1>(GetParam())});
  }
};
INSTANTIATE_TEST_SUITE_P(TinyLlama, AttributionCuda,
                         testing::Combine(testing::ValuesIn(engine::test::kTinyLlamas), testing::Values("float32", "bfloat16")),
                         [](const auto& info) { return std::get<0>(info.param) + "_" + std::get<1>(info.param); });

TEST_P(AttributionCuda, RelevanceEqualsTheCpu) {
  std::vector<RelevanceRequest> requests;
  for (const auto& golden : test::relevance_goldens(std::get<0>(GetParam())))
    requests.push_back({golden.tokens, golden.target, true});
  const auto on_cpu = Relevance(load("cpu")).of(requests), on_cuda = Relevance(load("cuda")).of(requests);
  for (size_t i = 0; i < requests.size(); ++i) {
    EXPECT_TRUE(on_cuda[i].heads.is_cpu());
    EXPECT_NEAR(on_cuda[i].logit, on_cpu[i].logit, 1e-4 * (1 + std::abs(on_cpu[i].logit)));
    // Activations are float32 whatever the weights are, so both types agree closely.
    EXPECT_TRUE(close(on_cuda[i].heads, on_cpu[i].heads, 1e-3));
    EXPECT_TRUE(close(on_cuda[i].keys, on_cpu[i].keys, 1e-3));
    EXPECT_TRUE(close(on_cuda[i].tokens, on_cpu[i].tokens, 1e-3));
  }
}

TEST(LocalizerCuda, LooksLikeTheCpu) {
  if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
  at::manual_seed(5);
  const Localizer localizer{.heads = {{0, 0}, {0, 1}, {1, 0}}, .weights = {0.5f, 0.2f, 0.3f}};
  const at::Tensor pattern = at::rand({3, 200});
  std::vector<bool> candidate(200, true), alike(200);
  candidate[7] = false;
  alike[7] = alike[20] = alike[150] = true;
  const Look on_cpu = localizer.look(pattern, candidate, alike), on_cuda = localizer.look(pattern.to(at::kCUDA), candidate, alike);
  EXPECT_TRUE(close(at::tensor(on_cuda.attention), at::tensor(on_cpu.attention), 1e-6));
  EXPECT_NEAR(on_cuda.echo, on_cpu.echo, 1e-6);
}

TEST_P(AttributionCuda, EvidenceEqualsTheCpuOnTheSameActivations) {
  const auto cpu = load("cpu"), cuda = load("cuda");
  const auto heads = engine::test::all_heads(*cpu);
  engine::HeadTaps on_cpu(*cpu, heads, {0, 24}), on_cuda(*cuda, heads, {0, 24});
  engine::KvCache cache(*cpu, 64);
  engine::Decoder(cpu).step({{.tokens = {5, 6, 7, 8}, .cache = &cache, .taps = &on_cpu}});
  on_cuda.z().copy_(on_cpu.z());
  on_cuda.resid_final().copy_(on_cpu.resid_final());
  EXPECT_TRUE(close(at::tensor(EvidenceReader(cuda, heads).read(on_cuda, 9)),
                    at::tensor(EvidenceReader(cpu, heads).read(on_cpu, 9)), 1e-4));
}

}  // namespace
}  // namespace openbook::attribution
