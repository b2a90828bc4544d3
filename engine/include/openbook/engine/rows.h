// What a few rows need once a decoded token. A tensor operation takes longer to start than these take to finish, so the CPU does
// them by hand; other devices go through libtorch. Tensors are float32 or bfloat16.
//
// Thread-safe.
//
//   copy_row(model->unembedding(), token, readout, 0);  // [vocabulary, d_model] -> [d_model], widened
//   const at::Tensor said = row_products(output, readout);
#pragma once

#include <ATen/ATen.h>

namespace openbook::engine {

// Copies row `from` of x into row `to` of `out`. A row has out's last dimension of numbers, which lie side by side; x may have
// others between its rows, `out` may not. `out` is of x's dtype, or float32.
void copy_row(const at::Tensor& x, int64_t from, const at::Tensor& out, int64_t to);

// Row i of `out`, [n, width], becomes row rows[i] of x, which is contiguous and taken as [anything, width]; `rows` is int64 [n]
// on x's device. `out` is of x's dtype, or float32.
void gather_rows(const at::Tensor& x, const at::Tensor& rows, const at::Tensor& out);

// matrix . x: [rows] float32, summed in float32. `matrix` is [rows, width], `x` [width] float32, contiguous. On the CPU it takes
// the time of reading the matrix once, so bfloat16 is read as such; libtorch would widen all of it first.
at::Tensor row_products(const at::Tensor& matrix, const at::Tensor& x);

}  // namespace openbook::engine
