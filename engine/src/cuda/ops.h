// CUDA kernels as operations on tensors, with the same meaning as those of decoder/ops.h and rows.h. Errors of a launch are
// c10::Error, like libtorch's own.
#pragma once

#include <ATen/ATen.h>

#include <utility>

#include "openbook/engine/model.h"

namespace openbook::engine::cuda {

at::Tensor silu_times_up(const at::Tensor& gate_up);
void rotate(const at::Tensor& x, int64_t heads, const at::Tensor& cos, const at::Tensor& sin);
void store(const at::Tensor& rows, const at::Tensor& cached);
void gather_rows(const at::Tensor& x, const at::Tensor& rows, const at::Tensor& out);
void copy_row(const at::Tensor& x, int64_t from, const at::Tensor& out, int64_t to);
// The largest of float32 values and where it first stands; NaN counts as the largest. Waits for the device.
std::pair<float, int64_t> largest(const at::Tensor& values);
at::Tensor readout_products(const at::Tensor& matrix, const Model& model, TokenId token, const at::Tensor& resid);

}  // namespace openbook::engine::cuda
