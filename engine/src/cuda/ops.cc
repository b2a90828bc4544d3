#include "cuda/ops.h"

#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "cuda/kernels.h"
#include "decoder/element_type.h"

namespace openbook::engine::cuda {
namespace {

// Calls `work` with x's element type and the current stream of x's device, which is the current device meanwhile.
template <typename Work>
void launch(const at::Tensor& x, Work&& work) {
  const c10::cuda::CUDAGuard guard(x.device());
  const Stream stream = c10::cuda::getCurrentCUDAStream().stream();
  with_element_type(x, [&]<typename Element>(const Element*) { work.template operator()<Element>(stream); });
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

}  // namespace

at::Tensor silu_times_up(const at::Tensor& gate_up) {
  const int64_t tokens = gate_up.size(0), d_mlp = gate_up.size(1) / 2;
  const at::Tensor out = at::empty({tokens, d_mlp}, gate_up.options());
  launch(gate_up, [&]<typename Element>(Stream stream) {
    silu_times_up(elements<Element>(gate_up), tokens, d_mlp, out.mutable_data_ptr<Element>(), stream);
  });
  return out;
}

void rotate(const at::Tensor& x, int64_t heads, const at::Tensor& cos, const at::Tensor& sin) {
  launch(x, [&]<typename Element>(Stream stream) {
    rotate(x.mutable_data_ptr<Element>(), x.stride(0), elements<float>(cos), elements<float>(sin), x.size(0), heads, x.size(2),
           stream);
  });
}

void store(const at::Tensor& rows, const at::Tensor& cached) {
  launch(rows, [&]<typename Element>(Stream stream) {
    store(elements<Element>(rows), rows.stride(0), rows.size(0), rows.size(1), rows.size(2), cached.mutable_data_ptr<Element>(),
          cached.stride(0), stream);
  });
}

void gather_rows(const at::Tensor& x, const at::Tensor& rows, const at::Tensor& out) {
  launch(x, [&]<typename Element>(Stream stream) {
    const auto gather = [&]<typename Out>(Out* to) {
      gather_rows(elements<Element>(x), elements<int64_t>(rows), out.size(0), out.size(1), to, stream);
    };
    if (out.scalar_type() == at::kFloat)
      gather(out.mutable_data_ptr<float>());
    else
      gather(out.mutable_data_ptr<Element>());
  });
}

void copy_row(const at::Tensor& x, int64_t from, const at::Tensor& out, int64_t to) {
  const int64_t width = out.size(-1);
  launch(x, [&]<typename Element>(Stream stream) {
    const Element* row = elements<Element>(x) + from * x.stride(0);
    if (out.scalar_type() == at::kFloat)
      gather_rows(row, nullptr, 1, width, out.mutable_data_ptr<float>() + to * width, stream);
    else
      gather_rows(row, nullptr, 1, width, out.mutable_data_ptr<Element>() + to * width, stream);
  });
}

std::pair<float, int64_t> largest(const at::Tensor& values) {
  const at::Tensor best = at::empty({2}, values.options().dtype(at::kDouble));
  launch(values, [&]<typename Element>(Stream stream) {
    largest(elements<float>(values), values.numel(), best.mutable_data_ptr<double>(), stream);
  });
  const at::Tensor found = best.to(at::kCPU);
  return {static_cast<float>(found.const_data_ptr<double>()[0]), static_cast<int64_t>(found.const_data_ptr<double>()[1])};
}

at::Tensor readout_products(const at::Tensor& matrix, const Model& model, TokenId token, const at::Tensor& resid) {
  const at::Tensor products = at::empty({matrix.size(0)}, resid.options());
  launch(matrix, [&]<typename Element>(Stream stream) {
    const Operand<Element> readout = {.x = elements<Element>(model.unembedding()) + token * resid.numel(),
                                      .gain = elements<Element>(model.final_norm()),
                                      .epsilon = static_cast<float>(model.config().norm_epsilon),
                                      .rms_of = elements<float>(resid)};
    matrix_times_vector<Element>(elements<Element>(matrix), readout, nullptr, matrix.size(0), matrix.size(1), /*add=*/false,
                                 products.mutable_data_ptr<float>(), stream);
  });
  return products;
}

}  // namespace openbook::engine::cuda
