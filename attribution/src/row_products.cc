#include "row_products.h"

#include <ATen/Parallel.h>

#include <algorithm>

// The loops below are compiled for several instruction sets, and the loader takes the best that the processor has.
#if defined(__x86_64__) && defined(__GNUC__)
#define OPENBOOK_FOR_EACH_X86 __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define OPENBOOK_FOR_EACH_X86
#endif

namespace openbook::attribution {
namespace {

constexpr int64_t kWeightsPerThread = 32 << 10;  // below it a thread's start costs more than its work
constexpr int64_t kLanes = 32;                   // partial sums, so that additions need not wait for each other

template <typename Weight>
[[gnu::always_inline]] inline void multiply(const Weight* rows, const float* x, int64_t count, int64_t width, float* products) {
  for (int64_t row = 0; row < count; ++row, rows += width) {
    float lanes[kLanes] = {};
    int64_t i = 0;
    for (; i + kLanes <= width; i += kLanes)
      for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += static_cast<float>(rows[i + lane]) * x[i + lane];
    float sum = 0;
    for (; i < width; ++i) sum += static_cast<float>(rows[i]) * x[i];
    for (const float lane : lanes) sum += lane;
    products[row] = sum;
  }
}

OPENBOOK_FOR_EACH_X86 void multiply_float(const float* rows, const float* x, int64_t count, int64_t width, float* products) {
  multiply(rows, x, count, width, products);
}

OPENBOOK_FOR_EACH_X86 void multiply_bfloat16(const at::BFloat16* rows, const float* x, int64_t count, int64_t width,
                                             float* products) {
  multiply(rows, x, count, width, products);
}

}  // namespace

at::Tensor row_products(const at::Tensor& rows, const at::Tensor& x) {
  if (!rows.is_cpu()) return rows.to(at::kFloat).mv(x);
  const at::Tensor dense = rows.contiguous(), vector = x.contiguous();
  at::Tensor products = at::empty({rows.size(0)}, vector.options());
  const auto run = [&](auto multiply, const auto* first) {
    const int64_t width = rows.size(1);
    at::parallel_for(0, rows.size(0), std::max<int64_t>(kWeightsPerThread / width, 1), [&](int64_t begin, int64_t end) {
      multiply(first + begin * width, vector.const_data_ptr<float>(), end - begin, width,
               products.mutable_data_ptr<float>() + begin);
    });
  };
  if (dense.scalar_type() == at::kBFloat16)
    run(multiply_bfloat16, dense.const_data_ptr<at::BFloat16>());
  else
    run(multiply_float, dense.const_data_ptr<float>());
  return products;
}

}  // namespace openbook::attribution
