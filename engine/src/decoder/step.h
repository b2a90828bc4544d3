// One pass of a batch through the model: what Decoder::step runs once everything has been checked.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "decoder/attention.h"
#include "openbook/engine/decoder.h"

namespace openbook::engine {

class Step {
 public:
  // `sequences` must be checked already; all of these must outlive the step. `cancellation` may be null.
  Step(const Model& model, const std::vector<Sequence>& sequences, const Cancellation* cancellation);

  // Writes keys and values behind each cache's size, fills the taps, and gives the logits. Advances no cache. Looks at the
  // cancellation before every layer and lets through what it throws.
  std::vector<StepResult> run();

 private:
  // A sequence's place among the tokens of the batch.
  struct Slice {
    const Sequence* sequence;
    int64_t begin;  // first row
    int64_t tokens;
    int64_t first;  // position of its first token
    SequenceAttention attention;
  };

  void embed();
  void run_layer(int64_t layer);
  at::Tensor attend(int64_t layer, const at::Tensor& qkv);
  at::Tensor attend(int64_t layer, Slice& slice, const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values);
  void fill_taps(const Slice& slice);
  std::vector<StepResult> logits();

  const Model& model_;
  const ModelConfig& config_;
  const Cancellation* cancellation_;
  std::vector<Slice> slices_;
  int64_t tokens_ = 0;
  at::Tensor resid_;      // [tokens, d_model], the residual stream
  at::Tensor cos_, sin_;  // float32 [tokens, d_head]
};

}  // namespace openbook::engine
