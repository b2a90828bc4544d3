// Relevance on the shipped model, where prompts are long and weights are rounded.
#include <fstream>

#include "base/test_support.h"
#include "openbook/attribution/head_roles.h"
#include "openbook/attribution/relevance.h"
#include "openbook/base/file.h"
#include "report/statistics.h"

namespace openbook::attribution {
namespace {

std::shared_ptr<const engine::Model> smollm2(const std::string& dtype) {
  const auto folder = openbook::test::model_folder("smollm2-135m-instruct");
  return folder ? engine::Model::load(*folder, {.dtype = dtype}) : nullptr;
}

// A prompt of real text, the example documents over and over.
RelevanceRequest long_request(const engine::Model& model, size_t tokens) {
  std::string text;
  for (const auto& file : std::filesystem::directory_iterator(openbook::test::source_folder() / "examples/documents"))
    text += read_file(file.path());
  RelevanceRequest request{.key_relevance = true};
  while (request.tokens.size() < tokens)
    for (const engine::Token& token : model.tokenizer().encode(text)) request.tokens.push_back(token.id);
  request.tokens.resize(tokens);
  request.target = request.tokens.front();
  return request;
}

class SmolLm2Relevance : public testing::TestWithParam<BackwardRules> {};
INSTANTIATE_TEST_SUITE_P(Rules, SmolLm2Relevance, testing::Values(BackwardRules::kAttnLrp, BackwardRules::kPlainGradient));

// Throws where a relevance is not finite, so a result is one that was checked.
TEST_P(SmolLm2Relevance, RoundedWeightsRankHeadsAlikeOnALongPrompt) {
  const auto rounded = smollm2("bfloat16"), whole = smollm2("float32");
  if (!whole) GTEST_SKIP() << "build/models/smollm2-135m-instruct is not there; cmake/setup.sh makes it";
  const RelevanceRequest request = long_request(*whole, 1024);
  const HeadRelevance of_rounded = Relevance(rounded, GetParam()).of({request}).at(0),
                      of_whole = Relevance(whole, GetParam()).of({request}).at(0);
  EXPECT_GT(rank_correlation(flat(of_rounded.heads), flat(of_whole.heads)), 0.97);
  EXPECT_GT(rank_correlation(flat(of_rounded.keys.sum(-1)), flat(of_whole.keys.sum(-1))), 0.97);
}

// The patterns of all heads alone would be 4.2 GiB.
TEST(SmolLm2RelevanceMemory, HoldsNoPatternsOfAllLayers) {
  const auto model = smollm2("float32");
  if (!model) GTEST_SKIP() << "build/models/smollm2-135m-instruct is not there; cmake/setup.sh makes it";
  const Relevance relevance(model);
  relevance.of({long_request(*model, 8)});  // reads every weight
  const auto resident_mib = [](const std::string& field) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with(field)) return std::stod(line.substr(field.size() + 1)) / 1024;
    return 0.0;
  };
  const double before = resident_mib("VmRSS");
  if (!(std::ofstream("/proc/self/clear_refs") << "5").flush())
    GTEST_SKIP() << "this system does not let a process forget its peak memory";
  relevance.of({long_request(*model, 2048)});
  EXPECT_LT(resident_mib("VmHWM") - before, 1536);
}

}  // namespace
}  // namespace openbook::attribution
