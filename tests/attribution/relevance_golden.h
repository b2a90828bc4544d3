// The tiny Llamas of tests/golden and what make_relevance.py found for them.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

#include "openbook/engine/head_id.h"
#include "openbook/engine/model.h"

namespace openbook::test {

struct RelevanceGolden {
  std::vector<engine::TokenId> tokens;
  engine::TokenId target;
  float logit;
  at::Tensor heads;            // [layers, heads]
  at::Tensor keys;             // [layers, heads, tokens]
  at::Tensor token_relevance;  // [tokens]
  at::Tensor evidence;         // [layers * heads]
};

std::vector<std::string> tiny_llamas();  // names of folders
std::shared_ptr<const engine::Model> tiny_llama(const std::string& name, const engine::ModelOptions& options = {});
std::vector<RelevanceGolden> relevance_goldens(const std::string& name);

std::vector<engine::HeadId> all_heads(const engine::ModelConfig& config);

// |actual - expected| <= tolerance * the largest |expected|.
void expect_close(const at::Tensor& actual, const at::Tensor& expected, double tolerance);

}  // namespace openbook::test
