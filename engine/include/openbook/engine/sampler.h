// Chooses the next token from logits. Greedy unless a temperature is given; then reproducible by its seed. Not thread-safe.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <random>

#include "openbook/engine/tokenizer.h"

namespace openbook::engine {

struct SamplerOptions {
  double temperature = 0;  // 0: greedy, the smallest id among equals
  uint64_t seed = 0;
};

class Sampler {
 public:
  explicit Sampler(const SamplerOptions& options);  // throws invalid_argument for a temperature that is negative or not finite

  TokenId next(const at::Tensor& logits);  // float32 [vocabulary]; throws internal when a logit is NaN

 private:
  SamplerOptions options_;
  std::mt19937_64 random_;
};

}  // namespace openbook::engine
