// One block of memory for all weights of a model, in huge pages on the CPU.
//
// A decoded token reads every weight once, in order. With 4 KiB pages the processor's prefetching stops at every page: reading
// from huge pages is about a quarter faster (docs/measurements.md).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace openbook::engine {

class WeightArena {
 public:
  // Room for `blocks` tensors of `elements` elements together.
  WeightArena(int64_t elements, int64_t blocks, at::ScalarType dtype, at::Device device);

  // A contiguous tensor, not yet filled, that keeps the whole arena alive. Starts at a cache line.
  at::Tensor take(const std::vector<int64_t>& shape);

 private:
  at::Tensor memory_;
  int64_t used_ = 0;
};

}  // namespace openbook::engine
