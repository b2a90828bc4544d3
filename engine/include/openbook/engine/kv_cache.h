// Keys and values of one sequence, that can be cut back and forked.
//
// A cut cache equals one never filled past the cut, to the bit. Fork copies; the copy is independent. Not thread-safe: one
// session owns it.
//
//   KvCache cache(*model, 2048);
//   ... decoder.step({{.tokens = tokens, .cache = &cache}}) ...
//   cache.cut(prompt_length);
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>

#include "openbook/engine/model.h"

namespace openbook::engine {

namespace cuda {
class TokenStep;
}

class KvCache {
 public:
  // Room for `capacity` positions, allocated at once: it never grows, and a step past it throws out_of_range. Throws
  // invalid_argument when capacity is not in [1, config().max_positions], resource_exhausted when there is no memory for it.
  KvCache(const Model& model, int64_t capacity);
  KvCache(KvCache&&) = default;
  KvCache& operator=(KvCache&&) = default;
  KvCache(const KvCache&) = delete;  // fork() says when bytes are copied
  KvCache& operator=(const KvCache&) = delete;

  int64_t size() const { return size_; }  // positions filled
  int64_t capacity() const { return keys_.size(2); }

  void cut(int64_t size);  // forget positions >= size; throws out_of_range when size is not in [0, this->size()]

  // An independent copy of the first `size` positions, with room for `capacity`. Throws out_of_range when size is not in
  // [0, this->size()] or above capacity, resource_exhausted when there is no memory for it.
  KvCache fork(int64_t size, int64_t capacity) const;

  // [layers, kv_heads, capacity, d_head] in the model's dtype; keys after rope. Positions >= size() are undefined.
  const at::Tensor& keys() const { return keys_; }
  const at::Tensor& values() const { return values_; }

  // For the decoder: after it wrote; and what it keeps to write one more token on a device, which a fork starts without.
  void advance(int64_t positions) { size_ += positions; }
  std::shared_ptr<cuda::TokenStep>& token_step() { return token_step_; }

 private:
  KvCache() = default;

  int64_t size_ = 0;
  at::Tensor keys_, values_;
  std::shared_ptr<cuda::TokenStep> token_step_;
};

}  // namespace openbook::engine
