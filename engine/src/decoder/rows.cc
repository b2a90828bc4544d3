#include "openbook/engine/rows.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "cuda/built.h"
#include "cuda/ops.h"
#include "decoder/cpu_kernels.h"
#include "decoder/element_type.h"
#include "openbook/base/error.h"

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

template <typename Element>
void scale_readout(const Element* row, const Element* gain, const float* resid, double epsilon, int64_t width, float* out) {
  double squares = 0;
  for (int64_t i = 0; i < width; ++i) squares += static_cast<double>(resid[i]) * resid[i];
  const auto inverse_rms = static_cast<float>(1 / std::sqrt(squares / static_cast<double>(width) + epsilon));
  for (int64_t i = 0; i < width; ++i) out[i] = static_cast<float>(row[i]) * (static_cast<float>(gain[i]) * inverse_rms);
}

}  // namespace

void copy_row(const at::Tensor& x, int64_t from, const at::Tensor& out, int64_t to) {
  const int64_t width = out.size(-1);
  if constexpr (cuda::kBuilt)
    if (x.is_cuda()) return cuda::copy_row(x, from, out, to);
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
  if constexpr (cuda::kBuilt)
    if (x.is_cuda()) return cuda::gather_rows(x, rows, out);
  if (!x.is_cpu()) {
    out.copy_(x.view({-1, width}).index_select(0, rows));
    return;
  }
  const int64_t* chosen = elements<int64_t>(rows);
  with_element_type(x, [&]<typename Element>(const Element*) {
    for (int64_t i = 0; i < out.size(0); ++i) copy_numbers(elements<Element>(x) + chosen[i] * width, width, out, i * width);
  });
}

at::Tensor readout_products(const at::Tensor& matrix, const Model& model, TokenId token, const at::Tensor& resid) {
  if (matrix.dim() != 2 || matrix.size(1) != model.config().d_model || !matrix.is_contiguous() ||
      matrix.scalar_type() != model.dtype() || resid.numel() != model.config().d_model)
    throw Error(Code::kInvalidArgument, "readout products: the matrix or the residual stream is not the model's");
  if (token < 0 || token >= model.config().vocabulary)
    throw Error(Code::kInvalidArgument, "readout products: token " + std::to_string(token) + " is outside the vocabulary of " +
                                            std::to_string(model.config().vocabulary));
  if constexpr (cuda::kBuilt)
    if (matrix.is_cuda()) return cuda::readout_products(matrix, model, token, resid);
  const double epsilon = model.config().norm_epsilon;
  if (!matrix.is_cpu()) {
    const at::Tensor readout = model.unembedding()[token].to(at::kFloat) * model.final_norm().to(at::kFloat);
    return matrix.to(at::kFloat).mv(readout * (resid.square().mean() + epsilon).rsqrt());
  }
  const int64_t width = resid.numel();
  at::Tensor readout = at::empty({width}, resid.options()), products = at::empty({matrix.size(0)}, resid.options());
  with_element_type(matrix, [&]<typename Element>(const Element*) {
    scale_readout(elements<Element>(model.unembedding()) + token * width, elements<Element>(model.final_norm()),
                  elements<float>(resid), epsilon, width, readout.mutable_data_ptr<float>());
    cpu::matrix_times_vector(elements<Element>(matrix), elements<float>(readout), nullptr, matrix.size(0), width,
                             products.mutable_data_ptr<float>());
  });
  return products;
}

}  // namespace openbook::engine
