// The few operations that a Llama block is made of beside attention. x is [tokens, features] in the model's dtype.
#pragma once

#include <ATen/ATen.h>

namespace openbook::engine {

// x / sqrt(mean(x^2) + epsilon) * weight, computed in float32, back in x's dtype (Zhang & Sennrich 2019, arXiv 1910.07467).
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon);

// x W^T + bias; `bias` may be undefined.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// silu(gate) * up of [tokens, 2 * d_mlp], gate before up.
at::Tensor silu_times_up(const at::Tensor& gate_up);

}  // namespace openbook::engine
