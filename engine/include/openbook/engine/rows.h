// What a few rows need once a decoded token. A tensor operation takes longer to start than these take to finish, so the CPU does
// them by hand; other devices go through libtorch. Tensors are float32 or bfloat16.
//
// Thread-safe.
//
//   copy_row(resid, tokens - 1, last, 0);  // [tokens, d_model] -> [d_model], widened
//   const at::Tensor said = readout_products(output, *model, token, last);
#pragma once

#include <ATen/ATen.h>

#include "openbook/engine/model.h"

namespace openbook::engine {

// Copies row `from` of x into row `to` of `out`. A row has out's last dimension of numbers, which lie side by side; x may have
// others between its rows, `out` may not. `out` is of x's dtype, or float32.
void copy_row(const at::Tensor& x, int64_t from, const at::Tensor& out, int64_t to);

// Row i of `out`, [n, width], becomes row rows[i] of x, which is contiguous and taken as [anything, width]; `rows` is int64 [n]
// on x's device. `out` is of x's dtype, or float32.
void gather_rows(const at::Tensor& x, const at::Tensor& rows, const at::Tensor& out);

// matrix . r: [rows] float32, summed in float32; r is the readout of `token` at a position whose final residual stream is
// `resid`, float32 [d_model]: what of its logit each number there is worth, W_U[token] * gain / rms(resid) with the final norm's
// gain and epsilon. `matrix` is [rows, d_model] in the model's dtype, contiguous. On the CPU, and on CUDA with kernels of our
// own, it takes the time of reading the matrix once, so bfloat16 is read as such; libtorch would widen all of it first. Throws
// invalid_argument for a matrix of another shape or layout and a token outside the vocabulary.
at::Tensor readout_products(const at::Tensor& matrix, const Model& model, TokenId token, const at::Tensor& resid);

}  // namespace openbook::engine
