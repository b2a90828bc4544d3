// A kernel's element type from a tensor's dtype: float32, or else bfloat16, which are those that a model can have.
#pragma once

#include <ATen/ATen.h>

namespace openbook::engine {

// Calls `work` with a null pointer of x's element type, to be deduced from.
template <typename Work>
void with_element_type(const at::Tensor& x, Work&& work) {
  if (x.scalar_type() == at::kFloat) {
    work(static_cast<const float*>(nullptr));
  } else {
    work(static_cast<const at::BFloat16*>(nullptr));
  }
}

// x's numbers; null when it is undefined.
template <typename Element>
const Element* elements(const at::Tensor& x) {
  return x.defined() ? x.const_data_ptr<Element>() : nullptr;
}

}  // namespace openbook::engine
