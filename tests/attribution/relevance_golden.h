// What make_relevance.py found for the tiny Llamas.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "engine/tiny_llama.h"

namespace openbook::attribution::test {

struct RelevanceGolden {
  std::vector<engine::TokenId> tokens;
  engine::TokenId target;
  float logit;
  at::Tensor heads;                                           // [layers, heads]
  at::Tensor keys;                                            // [layers, heads, tokens]
  at::Tensor token_relevance;                                 // [tokens]
  at::Tensor evidence;                                        // [layers * heads]
  at::Tensor gradient_heads, gradient_keys, gradient_tokens;  // the same of the plain gradient times activation
};

std::vector<RelevanceGolden> relevance_goldens(const std::string& name);  // of one of kTinyLlamas

}  // namespace openbook::attribution::test
