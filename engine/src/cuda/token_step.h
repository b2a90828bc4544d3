// One decoded token of one sequence on a CUDA device, by kernels of our own.
//
// The first token is enqueued kernel by kernel; from the second on the same kernels are one captured graph, since starting them
// one by one takes the processor longer than running them takes the device. A graph holds on to the addresses of cache, taps and
// edits, so it belongs to a cache; other taps or edits get another graph. Not thread-safe: the cache's session owns it.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <optional>
#include <vector>

#include "openbook/engine/decoder.h"

struct CUgraphExec_st;
struct CUstream_st;

namespace openbook::engine::cuda {

class TokenStep {
 public:
  // Whether it can run the step: one token on a CUDA device, for whose cache the kernels have room.
  static bool takes(const std::vector<Sequence>& sequences, const Model& model);

  TokenStep(std::shared_ptr<const Model> model, const KvCache& cache);  // keeps the cache's buffers, not the cache
  ~TokenStep();

  bool is_of(const Model& model) const { return model_.get() == &model; }

  // Writes the token's keys and values behind the cache's size, fills the taps, and gives the logits [1, vocabulary]. Does not
  // advance the cache, which is the one that this was made for. Errors are c10::Error.
  at::Tensor run(const Sequence& sequence);

 private:
  struct Graph;  // the kernels for one set of taps and edits

  Graph& graph_of(const HeadTaps* taps, const HeadEdits* edits);
  void choose_keys(const HeadEdits& edits);
  template <typename Element>
  void enqueue(const Graph& graph, CUstream_st* stream) const;
  template <typename Element>
  void enqueue_layer(const Graph& graph, int64_t layer, CUstream_st* stream) const;
  template <typename Element>
  void enqueue_taps(const Graph& graph, CUstream_st* stream) const;
  void capture(Graph& graph) const;

  const std::shared_ptr<const Model> model_;
  at::Tensor keys_, values_;                      // the cache's
  at::Tensor parts_, finished_;                   // of attention (AttentionParts)
  at::Tensor position_;                           // int32 [1]
  at::Tensor resid_, qkv_, queries_, z_, gated_;  // of the token, in the model's dtype
  at::Tensor chosen_;                             // float32 [capacity], 1 for biased keys
  std::vector<TokenRange> chosen_keys_;           // the same
  std::vector<std::unique_ptr<Graph>> graphs_;
};

}  // namespace openbook::engine::cuda
