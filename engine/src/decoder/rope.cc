#include "decoder/rope.h"

#include <numbers>

namespace openbook::engine {
namespace {

// Llama 3.1: wavelengths above original / low are slowed by `factor`, those below original / high stay, and between the two
// the frequency is blended (https://github.com/meta-llama/llama-models, apply_scaling).
at::Tensor scaled(const at::Tensor& frequency, const RopeScaling& scaling) {
  const auto original = static_cast<double>(scaling.original_max_position);
  const at::Tensor wavelength = 2 * std::numbers::pi / frequency;
  const at::Tensor slow = frequency / scaling.factor;
  const at::Tensor blend =
      (original / wavelength - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor);
  const at::Tensor blended = (1 - blend) * slow + blend * frequency;
  const at::Tensor outside = at::where(wavelength > original / scaling.low_freq_factor, slow, frequency);
  const at::Tensor between =
      (wavelength <= original / scaling.low_freq_factor).logical_and(wavelength >= original / scaling.high_freq_factor);
  return at::where(between, blended, outside);
}

}  // namespace

RopeTables make_rope_tables(const ModelConfig& config) {
  const at::Tensor exponent = at::arange(0, config.d_head, 2, at::kFloat) / static_cast<double>(config.d_head);
  at::Tensor frequency = 1.0 / at::pow(config.rope_theta, exponent);
  if (config.rope_scaling) frequency = scaled(frequency, *config.rope_scaling);
  const at::Tensor angle = at::outer(at::arange(config.max_positions, at::kFloat), frequency);
  return {.cos = at::cos(angle).repeat({1, 2}), .sin = at::sin(angle).repeat({1, 2})};
}

}  // namespace openbook::engine
