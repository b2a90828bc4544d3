#include "attribution/relevance_golden.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/test_support.h"

namespace openbook::attribution::test {
namespace {

using nlohmann::json;

const json& content() {
  static const json content = json::parse(std::ifstream(openbook::test::golden("relevance.json")));
  return content;
}

at::Tensor floats(const json& list, at::IntArrayRef shape) { return at::tensor(list.get<std::vector<float>>()).view(shape); }

}  // namespace

std::vector<RelevanceGolden> relevance_goldens(const std::string& name) {
  const engine::ModelConfig config = engine::read_model_config(openbook::test::golden("tiny_llama") / name);
  std::vector<RelevanceGolden> goldens;
  for (const json& golden : content()[name]) {
    const auto tokens = int64_t(golden["tokens"].size());
    goldens.push_back({.tokens = golden["tokens"],
                       .target = golden["target"],
                       .logit = golden["logit"],
                       .heads = floats(golden["heads"], {config.layers, config.heads}),
                       .keys = floats(golden["keys"], {config.layers, config.heads, tokens}),
                       .token_relevance = floats(golden["token_relevance"], {tokens}),
                       .evidence = floats(golden["evidence"], {config.layers * config.heads}),
                       .gradient_heads = floats(golden["gradient"]["heads"], {config.layers, config.heads}),
                       .gradient_keys = floats(golden["gradient"]["keys"], {config.layers, config.heads, tokens}),
                       .gradient_tokens = floats(golden["gradient"]["token_relevance"], {tokens})});
  }
  return goldens;
}

}  // namespace openbook::attribution::test
