// Keys and values of one sequence, that can be cut back and forked.
//
// A cut cache equals one never filled past the cut, to the bit. Fork copies; the copy is independent. Not thread-safe: one session owns it.
//
//   KvCache cache(*model, 2048);
//   ... decoder.step({{tokens, &cache}}) ...
//   cache.cut(prompt_length);
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "openbook/engine/model.h"

namespace openbook::engine {

class KvCache {
 public:
  // Room for `capacity` positions; grows are not silent: a step past it throws out_of_range.
  KvCache(const Model& model, int64_t capacity);

  int64_t size() const { return size_; }  // positions filled
  int64_t capacity() const { return capacity_; }

  void cut(int64_t size);  // forget positions >= size; throws out_of_range when size is not in [0, this->size()]
  KvCache fork() const;    // an independent copy of what is filled, same capacity

  // [1, kv_heads, capacity, d_head] in the model's dtype; keys after rope. For the decoder.
  at::Tensor& keys(int64_t layer) { return keys_.at(layer); }
  at::Tensor& values(int64_t layer) { return values_.at(layer); }
  void advance(int64_t positions) { size_ += positions; }  // for the decoder, after it wrote

 private:
  int64_t capacity_ = 0;
  int64_t size_ = 0;
  std::vector<at::Tensor> keys_, values_;
};

}  // namespace openbook::engine
