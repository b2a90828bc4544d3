// Chooses the next token from logits. Greedy unless a temperature is given; then reproducible by its seed. Not thread-safe.
//
// With a temperature T the token is drawn from softmax(logits / T), computed in float64, by inverting the cumulative distribution
// with 53 bits of mt19937_64: the same seed and logits give the same tokens with every standard library.
//
//   Sampler sampler({.temperature = 0.7, .seed = 1});
//   TokenId id = sampler.next(session.logits());
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

  // `logits`: float32 [vocabulary], on any device; -inf is a token that is never chosen. Throws failed_precondition when
  // undefined or empty, internal when a logit is NaN or +inf or when none is finite.
  TokenId next(const at::Tensor& logits);

 private:
  TokenId draw(const float* logits, int64_t size, float best);

  SamplerOptions options_;
  std::mt19937_64 random_;
};

}  // namespace openbook::engine
