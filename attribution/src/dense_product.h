// The dense product that everything here spends its time in.
#pragma once

#include <ATen/ATen.h>

namespace openbook::attribution {

// x W^T + bias of float32 tensors; x is [..., in], `weight` [out, in] with any strides, `bias` [out] or undefined. On the CPU
// through oneDNN: MKL keeps to AVX2 on AMD's processors, and takes twice as long as oneDNN does with AVX-512 there; on others the
// two are alike.
at::Tensor dense_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});

}  // namespace openbook::attribution
