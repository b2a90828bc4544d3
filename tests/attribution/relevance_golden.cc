#include "attribution/relevance_golden.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/test_support.h"

namespace openbook::test {
namespace {

using nlohmann::json;

const json& content() {
  static const json content = json::parse(std::ifstream(golden("relevance.json")));
  return content;
}

at::Tensor floats(const json& list, at::IntArrayRef shape) { return at::tensor(list.get<std::vector<float>>()).view(shape); }

}  // namespace

std::vector<std::string> tiny_llamas() {
  std::vector<std::string> names;
  for (const auto& [name, ignored] : content().items()) names.push_back(name);
  return names;
}

std::shared_ptr<const engine::Model> tiny_llama(const std::string& name, const engine::ModelOptions& options) {
  return engine::Model::load(golden("tiny_llama") / name, options);
}

std::vector<RelevanceGolden> relevance_goldens(const std::string& name) {
  const engine::ModelConfig config = engine::read_model_config(golden("tiny_llama") / name);
  std::vector<RelevanceGolden> goldens;
  for (const json& golden : content()[name]) {
    const auto tokens = int64_t(golden["tokens"].size());
    goldens.push_back({.tokens = golden["tokens"],
                       .target = golden["target"],
                       .logit = golden["logit"],
                       .heads = floats(golden["heads"], {config.layers, config.heads}),
                       .keys = floats(golden["keys"], {config.layers, config.heads, tokens}),
                       .token_relevance = floats(golden["token_relevance"], {tokens}),
                       .evidence = floats(golden["evidence"], {config.layers * config.heads})});
  }
  return goldens;
}

std::vector<engine::HeadId> all_heads(const engine::ModelConfig& config) {
  std::vector<engine::HeadId> heads;
  for (int32_t layer = 0; layer < config.layers; ++layer)
    for (int32_t head = 0; head < config.heads; ++head) heads.push_back({layer, head});
  return heads;
}

void expect_close(const at::Tensor& actual, const at::Tensor& expected, double tolerance) {
  ASSERT_EQ(actual.sizes(), expected.sizes());
  const double scale = expected.abs().max().item<double>();
  EXPECT_LE((actual - expected).abs().max().item<double>(), tolerance * scale) << "largest expected value " << scale;
}

}  // namespace openbook::test
