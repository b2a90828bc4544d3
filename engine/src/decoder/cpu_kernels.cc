#include "decoder/cpu_kernels.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "decoder/cpu_lanes.h"

namespace openbook::engine::cpu {
namespace {

// How far ahead weights are asked for, in bytes: about what memory delivers while one line travels.
constexpr int64_t kFetchAhead = 1024;

template <typename Element>
OPENBOOK_INLINE void silu_row(const Element* gate_up, int64_t columns, Element* out) {
  Floats gate, up;
  int64_t i = 0;
  for (; i + kLanes <= columns; i += kLanes) {
    load(gate_up + i, gate);
    load(gate_up + columns + i, up);
    Floats power = -gate;
    exponential(power);
    store(gate / (1.0f + power) * up, out + i);
  }
  for (; i < columns; ++i) {
    const auto x = static_cast<float>(gate_up[i]);
    out[i] = static_cast<Element>(x / (1 + std::exp(-x)) * static_cast<float>(gate_up[columns + i]));
  }
}

// Without a register's worth of lane crossing: of 32 bfloat16 the even ones are the lower halves of 16 words, the odd ones the
// upper halves.
OPENBOOK_INLINE void load_pairs(const at::BFloat16* from, Floats& even, Floats& odd) {
  Words words;
  std::memcpy(&words, from, sizeof words);
  const Words low = words << 16, high = words & 0xFFFF0000u;
  std::memcpy(&even, &low, sizeof even);
  std::memcpy(&odd, &high, sizeof odd);
}

// Puts each 32 values in the order of load_pairs: the even ones, then the odd ones. A rest stays as it is.
void order_in_pairs(std::vector<float>& x) {
  float block[2 * kLanes];
  for (size_t i = 0; i + 2 * kLanes <= x.size(); i += 2 * kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      block[lane] = x[i + 2 * lane];
      block[kLanes + lane] = x[i + 2 * lane + 1];
    }
    std::copy(block, block + 2 * kLanes, x.begin() + static_cast<int64_t>(i));
  }
}

// The dot product of one row of weights with x, fetching ahead of itself: rows follow each other. float32 rows take x as it is.
OPENBOOK_INLINE float weight_dot(const float* row, const float* x, int64_t columns) {
  Floats sums[4] = {}, w, v;
  int64_t i = 0;
  for (; i + 4 * kLanes <= columns; i += 4 * kLanes) {
    for (int64_t part = 0; part < 4; ++part) {
      __builtin_prefetch(row + i + part * kLanes + kFetchAhead / 4);
      load(row + i + part * kLanes, w);
      load(x + i + part * kLanes, v);
      sums[part] += w * v;
    }
  }
  float total = sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
  for (; i < columns; ++i) total += row[i] * x[i];
  return total;
}

// bfloat16 rows take x in the order of order_in_pairs.
OPENBOOK_INLINE float weight_dot(const at::BFloat16* row, const float* x, int64_t columns) {
  Floats sums[4] = {}, even, odd, v;
  int64_t i = 0;
  for (; i + 4 * kLanes <= columns; i += 4 * kLanes) {
    for (int64_t part = 0; part < 4; part += 2) {
      __builtin_prefetch(row + i + part * kLanes + kFetchAhead / 2);
      load_pairs(row + i + part * kLanes, even, odd);
      load(x + i + part * kLanes, v);
      sums[part] += even * v;
      load(x + i + (part + 1) * kLanes, v);
      sums[part + 1] += odd * v;
    }
  }
  if (i + 2 * kLanes <= columns) {
    load_pairs(row + i, even, odd);
    load(x + i, v);
    sums[0] += even * v;
    load(x + i + kLanes, v);
    sums[1] += odd * v;
    i += 2 * kLanes;
  }
  float total = sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
  for (; i < columns; ++i) total += static_cast<float>(row[i]) * x[i];
  return total;
}

// The functions that are compiled for each processor; a template can't be.
#define OPENBOOK_FOR_ELEMENT(Element)                                                                                      \
  OPENBOOK_FOR_EACH_PROCESSOR void dots(const Element* rows, const float* x, int64_t count, int64_t columns, float* out) { \
    for (int64_t row = 0; row < count; ++row) out[row] = weight_dot(rows + row * columns, x, columns);                     \
  }                                                                                                                        \
  OPENBOOK_FOR_EACH_PROCESSOR void silu(const Element* gate_up, int64_t columns, Element* out) {                           \
    silu_row(gate_up, columns, out);                                                                                       \
  }
OPENBOOK_FOR_ELEMENT(float)
OPENBOOK_FOR_ELEMENT(at::BFloat16)
#undef OPENBOOK_FOR_ELEMENT

OPENBOOK_FOR_EACH_PROCESSOR float total_of(const float* values, int64_t count) {
  Floats sums[8] = {}, x;
  for (int64_t i = 0; i + 8 * kLanes <= count; i += 8 * kLanes) {
    for (int64_t part = 0; part < 8; ++part) {
      load(values + i + part * kLanes, x);
      sums[part] += x;
    }
  }
  return sum(((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7])));
}

}  // namespace

template <typename Element, typename In, typename Out>
void matrix_times_vector(const Element* weight, const In* x, const std::type_identity_t<Element>* bias, int64_t rows,
                         int64_t columns, Out* y) {
  std::vector<float> wide(x, x + columns);
  if (std::is_same_v<Element, at::BFloat16>) order_in_pairs(wide);
  constexpr int64_t kBlock = 64;  // rows whose sums wait in registers' reach to be stored
  const int64_t grain = std::max<int64_t>(kBytesPerThread / (columns * static_cast<int64_t>(sizeof(Element))), 1);
  at::parallel_for(0, rows, grain, [&](int64_t begin, int64_t end) {
    float sums[kBlock];
    for (int64_t row = begin; row < end; row += kBlock) {
      const int64_t count = std::min(kBlock, end - row);
      dots(weight + row * columns, wide.data(), count, columns, sums);
      for (int64_t i = 0; i < count; ++i)
        y[row + i] = static_cast<Out>(bias == nullptr ? sums[i] : sums[i] + static_cast<float>(bias[row + i]));
    }
  });
}

template <typename Element>
void rms_norm(const Element* x, const Element* weight, double epsilon, int64_t rows, int64_t columns, Element* out) {
  at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
    std::vector<float> wide(columns);
    for (int64_t row = begin; row < end; ++row) {
      const Element* from = x + row * columns;
      Element* to = out + row * columns;
      for (int64_t i = 0; i < columns; ++i) wide[i] = static_cast<float>(from[i]);
      float squares;
      dots(wide.data(), wide.data(), 1, columns, &squares);
      const auto scale = static_cast<float>(1 / std::sqrt(squares / static_cast<double>(columns) + epsilon));
      for (int64_t i = 0; i < columns; ++i) to[i] = static_cast<Element>(wide[i] * scale * static_cast<float>(weight[i]));
    }
  });
}

template <typename Element>
void rotate(Element* x, int64_t stride, const float* cos, const float* sin, int64_t tokens, int64_t heads, int64_t d_head) {
  const int64_t half = d_head / 2;
  at::parallel_for(0, tokens, 16, [&](int64_t begin, int64_t end) {
    for (int64_t token = begin; token < end; ++token) {
      const float *c = cos + token * d_head, *s = sin + token * d_head;
      for (int64_t head = 0; head < heads; ++head) {
        Element *a = x + token * stride + head * d_head, *b = a + half;
        for (int64_t i = 0; i < half; ++i) {
          const float first = static_cast<float>(a[i]), second = static_cast<float>(b[i]);
          a[i] = static_cast<Element>(first * c[i] - second * s[i]);
          b[i] = static_cast<Element>(second * c[i] + first * s[i]);
        }
      }
    }
  });
}

template <typename Element>
void silu_times_up(const Element* gate_up, int64_t rows, int64_t columns, Element* out) {
  at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) silu(gate_up + row * 2 * columns, columns, out + row * columns);
  });
}

float read_all(const float* values, int64_t count) {
  return at::parallel_reduce(
      0, count, 1 << 20, 0.0f, [&](int64_t begin, int64_t end, float) { return total_of(values + begin, end - begin); },
      [](float a, float b) { return a + b; });
}

template void matrix_times_vector(const float*, const float*, const float*, int64_t, int64_t, float*);
template void matrix_times_vector(const at::BFloat16*, const at::BFloat16*, const at::BFloat16*, int64_t, int64_t, at::BFloat16*);
template void matrix_times_vector(const at::BFloat16*, const at::BFloat16*, const at::BFloat16*, int64_t, int64_t, float*);
template void matrix_times_vector(const at::BFloat16*, const float*, const at::BFloat16*, int64_t, int64_t, float*);
template void rms_norm(const float*, const float*, double, int64_t, int64_t, float*);
template void rms_norm(const at::BFloat16*, const at::BFloat16*, double, int64_t, int64_t, at::BFloat16*);
template void rotate(float*, int64_t, const float*, const float*, int64_t, int64_t, int64_t);
template void rotate(at::BFloat16*, int64_t, const float*, const float*, int64_t, int64_t, int64_t);
template void silu_times_up(const float*, int64_t, int64_t, float*);
template void silu_times_up(const at::BFloat16*, int64_t, int64_t, at::BFloat16*);

}  // namespace openbook::engine::cpu
