// Attention of one sequence within one step, for every layer: on the CPU kernels of our own, and libtorch's fused kernel where an
// edit biases keys or there is a device; that one takes a mask only where an edit or a filled cache asks for one.
//
// libtorch's kernel gets grouped queries as [kv_heads, group, tokens, d_head] against keys [kv_heads, 1, positions, d_head] that
// are expanded without a copy; a single token's group becomes the rows of one key/value head, so that its keys are read once.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "openbook/engine/head_edits.h"
#include "openbook/engine/model_config.h"

namespace openbook::engine {

// [positions], 1 inside the ranges and 0 elsewhere; what of them lies behind `positions` is left out.
at::Tensor indicator(const std::vector<TokenRange>& ranges, int64_t positions, const at::TensorOptions& options);

class SequenceAttention {
 public:
  // The step's tokens stand at positions first .. first + tokens - 1. `edits` may be null. The referred objects must outlive this
  // one.
  SequenceAttention(const ModelConfig& config, int64_t first, int64_t tokens, const HeadEdits* edits,
                    const at::TensorOptions& options);

  // queries: [tokens, heads, d_head] after rope; keys, values: [kv_heads, first + tokens, d_head]. z: [tokens, heads * d_head],
  // gains applied.
  at::Tensor attend(int64_t layer, const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values);

  // [positions] in the step's dtype, 1 for the keys that are biased; defined when some bias acts on the step's last token.
  const at::Tensor& biased_keys() const { return biased_keys_; }

 private:
  struct Rows {
    int64_t begin, end;  // tokens of the step
    int64_t size() const { return end - begin; }
  };

  at::Tensor plain(Rows rows, const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values);
  at::Tensor biased(Rows rows, int64_t layer, const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values);
  at::Tensor masked(Rows rows, const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                    const at::Tensor& mask, bool causal);
  at::Tensor causal_mask(Rows rows) const;  // [rows, positions up to the last row], 0 or -inf

  const ModelConfig& config_;
  const int64_t first_, tokens_;
  const HeadEdits* edits_;
  const at::TensorOptions options_;
  int64_t edited_from_;  // first token of the step that edits act on; tokens_ when none
  at::Tensor biased_keys_;
  at::Tensor plain_mask_;  // of all tokens behind a filled cache, made when first asked for
};

}  // namespace openbook::engine
