// The dense product that a forward pass spends its time in. Thread-safe; throws what libtorch throws.
//
//   const at::Tensor y = dense_product(x, weight, bias);  // [tokens, out]
#pragma once

#include <ATen/ATen.h>

namespace openbook::engine {

// x W^T + bias; x is [..., in], `weight` [out, in] with any strides, `bias` [out] or undefined, all of one dtype. float32 on the
// CPU goes through oneDNN: MKL keeps to AVX2 on AMD's processors, and takes twice as long as oneDNN does with AVX-512 there; on
// others the two are alike. The rest is libtorch's linear, which takes bfloat16 to oneDNN by itself.
at::Tensor dense_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});

}  // namespace openbook::engine
