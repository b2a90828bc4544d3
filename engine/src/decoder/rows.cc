#include "openbook/engine/rows.h"

#include <algorithm>

#include "decoder/cpu_kernels.h"
#include "decoder/element_type.h"

namespace openbook::engine {
namespace {

// `out` starts at its row.
template <typename Element>
void copy_numbers(const Element* from, int64_t count, const at::Tensor& out, int64_t start) {
  if (out.scalar_type() == at::kFloat)
    std::copy_n(from, count, out.mutable_data_ptr<float>() + start);
  else
    std::copy_n(from, count, out.mutable_data_ptr<Element>() + start);
}

}  // namespace

void copy_row(const at::Tensor& x, int64_t from, const at::Tensor& out, int64_t to) {
  const int64_t width = out.size(-1);
  if (!x.is_cpu()) {
    out.view({-1, width})[to].copy_(x[from].reshape({width}));
    return;
  }
  with_element_type(x, [&]<typename Element>(const Element*) {
    copy_numbers(elements<Element>(x) + from * x.stride(0), width, out, to * width);
  });
}

void gather_rows(const at::Tensor& x, const at::Tensor& rows, const at::Tensor& out) {
  const int64_t width = out.size(1);
  if (!x.is_cpu()) {
    out.copy_(x.view({-1, width}).index_select(0, rows));
    return;
  }
  const int64_t* chosen = elements<int64_t>(rows);
  with_element_type(x, [&]<typename Element>(const Element*) {
    for (int64_t i = 0; i < out.size(0); ++i) copy_numbers(elements<Element>(x) + chosen[i] * width, width, out, i * width);
  });
}

at::Tensor row_products(const at::Tensor& matrix, const at::Tensor& x) {
  if (!matrix.is_cpu()) return matrix.to(at::kFloat).mv(x);
  const at::Tensor dense = matrix.contiguous();
  at::Tensor products = at::empty({matrix.size(0)}, x.options());
  with_element_type(dense, [&]<typename Element>(const Element*) {
    cpu::matrix_times_vector(elements<Element>(dense), elements<float>(x), nullptr, matrix.size(0), matrix.size(1),
                             products.mutable_data_ptr<float>());
  });
  return products;
}

}  // namespace openbook::engine
