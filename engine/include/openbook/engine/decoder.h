// Runs a decoder-only transformer: tokens in, logits out, heads observed and edited on the way.
//
// Pre-norm Llama blocks: x += W_O attention(norm(x)); x += W_down (silu(gate) * up), rotary positions, grouped queries.
// step() takes a batch of independent sequences so that continuous batching and a captured CUDA step fit in behind it; the
// sequences of one call need not have the same length. Linear layers see all their tokens at once, attention one sequence at a
// time.
//
// Thread-safe: the decoder holds no state of a request. The sequences' caches, taps and edits belong to their sessions.
//
//   Decoder decoder(model);
//   KvCache cache(*model, 512);
//   at::Tensor logits = decoder.step({{.tokens = prompt_ids, .cache = &cache}}).at(0).logits;  // [1, vocabulary]
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "openbook/base/cancellation.h"
#include "openbook/engine/head_edits.h"
#include "openbook/engine/head_taps.h"
#include "openbook/engine/kv_cache.h"
#include "openbook/engine/model.h"

namespace openbook::engine {

enum class LogitsOf { kLast, kAll };  // of the step's last token, or of every token of the step

struct Sequence {
  std::vector<TokenId> tokens;       // to be appended; at least one
  KvCache* cache = nullptr;          // required; the tokens stand at positions cache->size() ...
  HeadTaps* taps = nullptr;          // filled for the last of `tokens`; of this model, as are cache and edits
  const HeadEdits* edits = nullptr;  // read during the step only
  LogitsOf logits_of = LogitsOf::kLast;
};

struct StepResult {
  // float32 [1 or tokens.size(), vocabulary] on the model's device. Those of a bfloat16 model may have been rounded to bfloat16.
  at::Tensor logits;
};

class Decoder {
 public:
  explicit Decoder(std::shared_ptr<const Model> model);

  // Appends every sequence's tokens to its cache. All or nothing: on an error no cache has moved. Throws invalid_argument (no
  // tokens, an id outside the vocabulary, no cache or one cache twice, cache, taps or edits of a model of another shape),
  // out_of_range (past the cache's capacity), resource_exhausted (out of memory), and what `cancellation` throws: it is looked at
  // before every layer and stops the whole batch. (On CUDA a layer is only enqueued then: what was enqueued before still runs.)
  std::vector<StepResult> step(std::vector<Sequence> sequences, const Cancellation* cancellation = nullptr) const;

  // Whether a single token of one sequence runs on kernels of our own on CUDA, where heads are at most 256 wide and the cache has
  // at most 11,264 positions. They are built where nvcc is; libtorch takes about ten times as long.
  static bool has_cuda_kernels();

  const Model& model() const { return *model_; }
  std::shared_ptr<const Model> shared_model() const { return model_; }

 private:
  std::shared_ptr<const Model> model_;
};

}  // namespace openbook::engine
