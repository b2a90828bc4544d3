// Forward and backward of one batch under AttnLRP's rules or the plain gradient's, written out over the model's weights.
//
// Sequences are padded on the right: causal attention never looks there, and no gradient comes from there. Only the last
// position's logit is asked for, so the last layer's queries and MLP run at that position alone.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "lrp_attention.h"
#include "openbook/attribution/relevance.h"

namespace openbook::attribution {

struct RelevancePassOptions {
  BackwardRules rules = BackwardRules::kAttnLrp;
  lrp::AttentionRule attention = lrp::AttentionRule::kUniform;  // under kAttnLrp
  bool key_relevance = false;
  int64_t tape_bytes =
      int64_t{1} << 30;  // what may be kept of the forward pass; layers that don't fit keep their input and run twice
};

struct BatchRelevance {
  at::Tensor heads;   // [layers, batch, heads] float32
  at::Tensor keys;    // [layers, batch, heads, tokens] float32, or undefined
  at::Tensor tokens;  // [batch, tokens] float32
  at::Tensor logits;  // [batch] float32
};

// What one token of one layer leaves on the tape, in bytes.
int64_t tape_bytes_a_token(const engine::ModelConfig& config, BackwardRules rules = BackwardRules::kAttnLrp);

// `tokens` is [batch, tokens] int64, `lengths` and `targets` are [batch] int64, all on the model's device; lengths
// within 1..tokens. Throws internal when a number is not finite, naming the layer where that began. Results are on the model's
// device.
BatchRelevance relevance_pass(const engine::Model& model, const at::Tensor& tokens, const at::Tensor& lengths,
                              const at::Tensor& targets, const RelevancePassOptions& options);

}  // namespace openbook::attribution
