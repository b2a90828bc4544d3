// Matrix times vector where the matrix may be narrower than the vector.
#pragma once

#include <ATen/ATen.h>

namespace openbook::attribution {

// rows . x, [row] float32, summed in float32. `rows` is [row, width] float32 or bfloat16, contiguous; `x` is [width] float32 on
// the same device. Its time is that of reading `rows` once, so bfloat16 is read as such; ATen would widen the whole matrix first.
at::Tensor row_products(const at::Tensor& rows, const at::Tensor& x);

}  // namespace openbook::attribution
