#include "cuda/device.cuh"
#include "cuda/kernels.h"

namespace openbook::engine::cuda {
namespace {

constexpr int kProductWarps = 4;  // of a block
// A matrix of fewer rows would not keep the device busy with a warp a row: a row gets a block.
constexpr int64_t kSharedRows = 16384;
constexpr int kLargestThreads = 1024;
constexpr int kThreads = 256;

enum class Product { kPlain, kNormed, kGated };  // a gated one is normed, too

// The sum over the threads that share a row, in all of them: those of one warp, or of a block.
template <int kRowWarps>
__device__ float row_sum(float value) {
  static_assert(kRowWarps == 1 || kRowWarps == kProductWarps);
  value = warp_sum(value);
  if constexpr (kRowWarps == 1) return value;
  __shared__ float by_warp[kRowWarps];
  __syncthreads();
  if (threadIdx.x % kWarp == 0) by_warp[threadIdx.x / kWarp] = value;
  __syncthreads();
  float sum = 0;
  for (int warp = 0; warp < kRowWarps; ++warp) sum += by_warp[warp];
  return sum;
}

// kRowWarps warps a row. The norm's scale is the same for all columns, so it is taken out of the sum and made of the same reading
// of x.
template <Product kProduct, int kRowWarps, int kWidth, typename Element, typename Out>
__global__ void product(const Element* weight, Operand<Element> operand, const Element* bias, int rows, int columns, bool add,
                        Out* y) {
  constexpr int kRowThreads = kRowWarps * kWarp, kBlockRows = kProductWarps / kRowWarps;
  const int row = blockIdx.x * kBlockRows + threadIdx.x / kRowThreads, thread = threadIdx.x % kRowThreads;
  if (row >= rows) return;
  const Element* of_row = weight + static_cast<int64_t>(row) * columns;
  const Element* of_up = of_row + static_cast<int64_t>(rows) * columns;
  float dot = 0, up = 0, squares = 0;
#pragma unroll 4
  for (int column = thread * kWidth; column < columns; column += kRowThreads * kWidth) {
    const auto w = pack_at<kWidth>(of_row + column), x = pack_at<kWidth>(operand.x + column);
    if constexpr (kProduct == Product::kPlain) {
      for (int i = 0; i < kWidth; ++i) dot += static_cast<float>(w.at[i]) * static_cast<float>(x.at[i]);
    } else {
      const auto gain = pack_at<kWidth>(operand.gain + column),
                 u = pack_at<kWidth>((kProduct == Product::kGated ? of_up : of_row) + column);
      for (int i = 0; i < kWidth; ++i) {
        const float value = static_cast<float>(x.at[i]), scaled = value * static_cast<float>(gain.at[i]);
        const float measured = operand.rms_of == nullptr ? value : operand.rms_of[column + i];
        squares += measured * measured;
        dot += static_cast<float>(w.at[i]) * scaled;
        if constexpr (kProduct == Product::kGated) up += static_cast<float>(u.at[i]) * scaled;
      }
    }
  }
  dot = row_sum<kRowWarps>(dot);
  if constexpr (kProduct != Product::kPlain) {
    const float scale = rsqrtf(row_sum<kRowWarps>(squares) / columns + operand.epsilon);
    dot *= scale;
    if constexpr (kProduct == Product::kGated) up = row_sum<kRowWarps>(up) * scale;
  }
  if (thread != 0) return;
  if (bias != nullptr) dot += static_cast<float>(bias[row]);
  if constexpr (kProduct == Product::kGated) {
    if (bias != nullptr) up += static_cast<float>(bias[rows + row]);
    dot = silu(dot) * up;
  }
  if (add) dot += static_cast<float>(y[row]);
  y[row] = static_cast<Out>(dot);
}

struct Best {
  float value;
  int64_t at;
};

// The larger of two, NaN before all, of equals the first.
__device__ Best better(Best a, Best b) {
  const bool a_is_nan = isnan(a.value), b_is_nan = isnan(b.value);
  if (a_is_nan != b_is_nan) return a_is_nan ? a : b;
  if (a.value == b.value || a_is_nan) return a.at < b.at ? a : b;
  return a.value > b.value ? a : b;
}

__device__ Best best_of_warp(Best best) {
  for (int step = kWarp / 2; step > 0; step /= 2)
    best = better(best, {__shfl_xor_sync(0xffffffff, best.value, step), __shfl_xor_sync(0xffffffff, best.at, step)});
  return best;
}

__global__ void find_largest(const float* values, int64_t count, double* out) {
  __shared__ Best by_warp[kLargestThreads / kWarp];
  Best best = {-INFINITY, count};
#pragma unroll 8
  for (int64_t i = threadIdx.x; i < count; i += kLargestThreads) best = better(best, {values[i], i});
  best = best_of_warp(best);
  if (threadIdx.x % kWarp == 0) by_warp[threadIdx.x / kWarp] = best;
  __syncthreads();
  best = best_of_warp(by_warp[threadIdx.x % kWarp]);
  if (threadIdx.x != 0) return;
  out[0] = best.value;
  out[1] = static_cast<double>(best.at);
}

template <typename Element>
__global__ void rotate_heads(Element* x, int64_t stride, const float* cos, const float* sin, int64_t pairs, int heads,
                             int d_head) {
  const int64_t pair = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (pair >= pairs) return;
  const int half = d_head / 2, within = static_cast<int>(pair % half);
  const int64_t head = pair / half % heads, token = pair / half / heads;
  Element* first = x + token * stride + head * d_head + within;
  const float a = static_cast<float>(first[0]), b = static_cast<float>(first[half]);
  const float c = cos[token * d_head + within], s = sin[token * d_head + within];
  first[0] = static_cast<Element>(a * c - b * s);
  first[half] = static_cast<Element>(b * c + a * s);
}

template <typename Element>
__global__ void gated(const Element* gate_up, int64_t count, int64_t columns, Element* out) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const Element* gate = gate_up + i / columns * 2 * columns + i % columns;
  out[i] = static_cast<Element>(silu(static_cast<float>(gate[0])) * static_cast<float>(gate[columns]));
}

template <typename Element, typename Out>
__global__ void gathered(const Element* x, const int64_t* chosen, int64_t count, int64_t width, Out* out) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const int64_t from = chosen == nullptr ? i : chosen[i / width] * width + i % width;
  out[i] = static_cast<Out>(static_cast<float>(x[from]));
}

template <typename Element>
__global__ void stored(const Element* rows, int64_t stride, int64_t count, int64_t heads, int64_t d_head, Element* cached,
                       int64_t head_stride) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const int64_t within = i % d_head, head = i / d_head % heads, token = i / d_head / heads;
  cached[head * head_stride + token * d_head + within] = rows[token * stride + head * d_head + within];
}

template <typename Element>
__global__ void begin(const Element* row, int d_model, int32_t position, Element* resid, int32_t* position_out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i == 0) *position_out = position;
  if (i < d_model) resid[i] = row[i];
}

}  // namespace

template <typename Element, typename Out>
void matrix_times_vector(const Element* weight, Operand<Element> x, const Element* bias, int64_t rows, int64_t columns, bool add,
                         Out* y, Stream stream) {
  const auto launch = [&]<Product kProduct, int kRowWarps, int kWidth>() {
    product<kProduct, kRowWarps, kWidth><<<blocks_of(rows * kRowWarps, kProductWarps), kProductWarps * kWarp, 0, stream>>>(
        weight, x, bias, static_cast<int>(rows), static_cast<int>(columns), add, y);
  };
  const auto of_width = [&]<Product kProduct, int kRowWarps>() {
    if (packs(columns, weight) && packs(columns, x.x) && packs(columns, x.gain))
      launch.template operator()<kProduct, kRowWarps, kWidest<Element>>();
    else
      launch.template operator()<kProduct, kRowWarps, 1>();
  };
  if (x.gain == nullptr)
    rows < kSharedRows ? of_width.template operator()<Product::kPlain, kProductWarps>()
                       : of_width.template operator()<Product::kPlain, 1>();
  else
    rows < kSharedRows ? of_width.template operator()<Product::kNormed, kProductWarps>()
                       : of_width.template operator()<Product::kNormed, 1>();
}

template <typename Element>
void gated_matrix_times_vector(const Element* weight, Operand<Element> x, const Element* bias, int64_t rows, int64_t columns,
                               Element* y, Stream stream) {
  const bool wide = packs(columns, weight) && packs(columns, x.x) && packs(columns, x.gain);
  const auto kernel = wide ? product<Product::kGated, kProductWarps, kWidest<Element>, Element, Element>
                           : product<Product::kGated, kProductWarps, 1, Element, Element>;
  kernel<<<static_cast<unsigned>(rows), kProductWarps * kWarp, 0, stream>>>(weight, x, bias, static_cast<int>(rows),
                                                                            static_cast<int>(columns), /*add=*/false, y);
}

void largest(const float* values, int64_t count, double* best, Stream stream) {
  find_largest<<<1, kLargestThreads, 0, stream>>>(values, count, best);
}

template <typename Element>
void rotate(Element* x, int64_t stride, const float* cos, const float* sin, int64_t tokens, int64_t heads, int64_t d_head,
            Stream stream) {
  const int64_t pairs = tokens * heads * (d_head / 2);
  rotate_heads<<<blocks_of(pairs, kThreads), kThreads, 0, stream>>>(x, stride, cos, sin, pairs, static_cast<int>(heads),
                                                                    static_cast<int>(d_head));
}

template <typename Element>
void silu_times_up(const Element* gate_up, int64_t rows, int64_t columns, Element* out, Stream stream) {
  gated<<<blocks_of(rows * columns, kThreads), kThreads, 0, stream>>>(gate_up, rows * columns, columns, out);
}

template <typename Element>
void store(const Element* rows, int64_t stride, int64_t tokens, int64_t heads, int64_t d_head, Element* cached,
           int64_t head_stride, Stream stream) {
  const int64_t count = tokens * heads * d_head;
  stored<<<blocks_of(count, kThreads), kThreads, 0, stream>>>(rows, stride, count, heads, d_head, cached, head_stride);
}

template <typename Element, typename Out>
void gather_rows(const Element* x, const int64_t* chosen, int64_t rows, int64_t width, Out* out, Stream stream) {
  gathered<<<blocks_of(rows * width, kThreads), kThreads, 0, stream>>>(x, chosen, rows * width, width, out);
}

template <typename Element>
void begin_token(const Element* embedding, int64_t token, int64_t d_model, int32_t position, Element* resid,
                 int32_t* position_out, Stream stream) {
  begin<<<blocks_of(d_model, kThreads), kThreads, 0, stream>>>(embedding + token * d_model, static_cast<int>(d_model), position,
                                                               resid, position_out);
}

#define OPENBOOK_KERNELS_OF(Element)                                                                                             \
  template void matrix_times_vector(const Element*, Operand<Element>, const Element*, int64_t, int64_t, bool, Element*, Stream); \
  template void gated_matrix_times_vector(const Element*, Operand<Element>, const Element*, int64_t, int64_t, Element*, Stream); \
  template void rotate(Element*, int64_t, const float*, const float*, int64_t, int64_t, int64_t, Stream);                        \
  template void silu_times_up(const Element*, int64_t, int64_t, Element*, Stream);                                               \
  template void store(const Element*, int64_t, int64_t, int64_t, int64_t, Element*, int64_t, Stream);                            \
  template void gather_rows(const Element*, const int64_t*, int64_t, int64_t, Element*, Stream);                                 \
  template void begin_token(const Element*, int64_t, int64_t, int32_t, Element*, int32_t*, Stream);
OPENBOOK_KERNELS_OF(float)
OPENBOOK_KERNELS_OF(at::BFloat16)
template void matrix_times_vector(const at::BFloat16*, Operand<at::BFloat16>, const at::BFloat16*, int64_t, int64_t, bool, float*,
                                  Stream);
template void gather_rows(const at::BFloat16*, const int64_t*, int64_t, int64_t, float*, Stream);

}  // namespace openbook::engine::cuda
