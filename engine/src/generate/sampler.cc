#include "openbook/engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "cuda/built.h"
#include "cuda/ops.h"
#include "openbook/base/error.h"

namespace openbook::engine {
namespace {

TokenId smallest_id_of(const float* logits, int64_t size, float best) {
  return static_cast<TokenId>(std::find(logits, logits + size, best) - logits);
}

void require_finite(float best) {
  if (!std::isfinite(best))
    throw Error(Code::kInternal, "the model's logits hold " + std::string(std::isnan(best) ? "NaN" : "no finite maximum"),
                "With bfloat16, try float32; else the weights may be damaged.");
}

}  // namespace

Sampler::Sampler(const SamplerOptions& options) : options_(options), random_(options.seed) {
  if (!std::isfinite(options.temperature) || options.temperature < 0)
    throw Error(Code::kInvalidArgument,
                "temperature " + std::to_string(options.temperature) + ": expected a finite number, 0 or more",
                "0 chooses the likeliest token every time.");
}

TokenId Sampler::next(const at::Tensor& logits) {
  if (!logits.defined() || logits.numel() == 0)
    throw Error(Code::kFailedPrecondition, "there are no logits to choose a token from", "Run a token through the model first.");
  if constexpr (cuda::kBuilt) {
    if (logits.is_cuda() && logits.scalar_type() == at::kFloat && logits.is_contiguous() && options_.temperature == 0) {
      const auto [best, id] = cuda::largest(logits);
      require_finite(best);
      return static_cast<TokenId>(id);
    }
  }
  const at::Tensor on_cpu = logits.reshape({-1}).to(at::kCPU, at::kFloat).contiguous();
  const float best = on_cpu.max().item<float>();  // NaN when any logit is NaN
  require_finite(best);
  const float* values = on_cpu.const_data_ptr<float>();
  const int64_t size = on_cpu.numel();
  if (options_.temperature == 0) return smallest_id_of(values, size, best);
  return draw(values, size, best);
}

// Inverse of the cumulative distribution. std::discrete_distribution would do, but what it returns for a seed is the library's
// choice.
TokenId Sampler::draw(const float* logits, int64_t size, float best) {
  std::vector<double> cumulative(static_cast<size_t>(size));
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) {
    sum += std::exp((static_cast<double>(logits[i]) - best) / options_.temperature);
    cumulative[i] = sum;
  }
  const double uniform = static_cast<double>(random_() >> 11) * 0x1p-53;  // 53 random bits: [0, 1)
  // The first token whose cumulative weight is above the draw; a token of weight 0 never is.
  const auto chosen = std::upper_bound(cumulative.begin(), cumulative.end(), uniform * sum);
  if (chosen == cumulative.end()) return smallest_id_of(logits, size, best);  // uniform * sum rounded up to sum
  return static_cast<TokenId>(chosen - cumulative.begin());
}

}  // namespace openbook::engine
