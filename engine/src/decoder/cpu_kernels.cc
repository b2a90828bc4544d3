#include "decoder/cpu_kernels.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

// One source, three processors: GCC compiles a function marked so once for each and binds the right one at start.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define OPENBOOK_FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define OPENBOOK_FOR_EACH_PROCESSOR
#endif
#define OPENBOOK_INLINE inline __attribute__((always_inline))

namespace openbook::engine::cpu {
namespace {

constexpr int64_t kLanes = 16;
typedef float Floats __attribute__((vector_size(64)));  // 16 floats: one AVX-512 register, two of AVX2, four of SSE
typedef uint32_t Words __attribute__((vector_size(64)));
typedef uint16_t Halves __attribute__((vector_size(32)));

// Below this a thread's start costs more than its work (bytes of weights).
constexpr int64_t kBytesPerThread = 64 << 10;

// How far ahead weights are asked for, in bytes: about what memory delivers while one line travels.
constexpr int64_t kFetchAhead = 1024;

OPENBOOK_INLINE void load(const float* from, Floats& to) { std::memcpy(&to, from, sizeof to); }

// bfloat16 is the upper half of a float.
OPENBOOK_INLINE void load(const at::BFloat16* from, Floats& to) {
  Halves halves;
  std::memcpy(&halves, from, sizeof halves);
  const Words words = __builtin_convertvector(halves, Words) << 16;
  std::memcpy(&to, &words, sizeof to);
}

OPENBOOK_INLINE float sum(const Floats& lanes) {
  typedef int32_t Indices __attribute__((vector_size(64)));
  Floats x = lanes;
  x += __builtin_shuffle(x, Indices{8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7});
  x += __builtin_shuffle(x, Indices{4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11});
  x += __builtin_shuffle(x, Indices{2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13});
  return x[0] + x[1];
}

// e^x to about 2 ulp for x <= 88: 2^n times a polynomial in the rest, |rest| <= ln 2 / 2 (coefficients: Taylor's, economised;
// Cephes expf).
OPENBOOK_INLINE void exponential(Floats& x) {
  const Floats kSmallest = {};
  const Floats low = kSmallest - 87.0f;
  x = x < low ? low : x;
  const Floats kRound = kSmallest + 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  const Floats shifted = x * 1.44269504f + kRound;
  const Floats n = shifted - kRound;
  const Floats r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Floats p = kSmallest + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  Words power;
  std::memcpy(&power, &shifted, sizeof power);
  power = (power + 127) << 23;  // the bits above n's fall out
  Floats scale;
  std::memcpy(&scale, &power, sizeof scale);
  x = p * scale;
}

OPENBOOK_INLINE void store(const Floats& from, float* to) { std::memcpy(to, &from, sizeof from); }

// Rounded to nearest, ties to even; NaN stays NaN.
OPENBOOK_INLINE void store(const Floats& from, at::BFloat16* to) {
  Words words;
  std::memcpy(&words, &from, sizeof words);
  const Words rounded = (words + 0x7FFF + ((words >> 16) & 1)) >> 16;
  const Halves halves = __builtin_convertvector(from == from ? rounded : (Words{} + 0x7FC0), Halves);
  std::memcpy(to, &halves, sizeof halves);
}

// Four independent sums hide the latency of the additions.
template <typename Element>
OPENBOOK_INLINE float dot(const Element* a, const float* b, int64_t size) {
  Floats sums[4] = {}, x, y;
  int64_t i = 0;
  for (; i + 4 * kLanes <= size; i += 4 * kLanes) {
    for (int64_t part = 0; part < 4; ++part) {
      load(a + i + part * kLanes, x);
      load(b + i + part * kLanes, y);
      sums[part] += x * y;
    }
  }
  for (; i + kLanes <= size; i += kLanes) {
    load(a + i, x);
    load(b + i, y);
    sums[0] += x * y;
  }
  float total = sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
  for (; i < size; ++i) total += static_cast<float>(a[i]) * b[i];
  return total;
}

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

// The sums of four registers, in lanes 0, 4, 8 and 12: fewer shuffles than four sums.
OPENBOOK_INLINE void sum_each(const Floats (&x)[4], Floats& all) {
  typedef int32_t Indices __attribute__((vector_size(64)));
  constexpr Indices kLow = {0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23}, kHigh = kLow + 8;
  constexpr Indices kEvenQuarters = {0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27}, kOddQuarters = kEvenQuarters + 4;
  const Floats first = __builtin_shuffle(x[0], x[1], kLow) + __builtin_shuffle(x[0], x[1], kHigh);
  const Floats second = __builtin_shuffle(x[2], x[3], kLow) + __builtin_shuffle(x[2], x[3], kHigh);
  all = __builtin_shuffle(first, second, kEvenQuarters) + __builtin_shuffle(first, second, kOddQuarters);
  all += __builtin_shuffle(all, Indices{2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13});
  all += __builtin_shuffle(all, Indices{1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14});
}

// Dot products of four neighbouring rows with x, times scale; size is a multiple of kLanes.
template <typename Element>
OPENBOOK_INLINE void four_dots(const Element* rows, const float* x, int64_t size, float scale, float* out) {
  Floats sums[4] = {}, a, b;
  for (int64_t i = 0; i < size; i += kLanes) {
    load(x + i, b);
    for (int64_t row = 0; row < 4; ++row) {
      load(rows + row * size + i, a);
      sums[row] += a * b;
    }
  }
  Floats each;
  sum_each(sums, each);
  for (int64_t row = 0; row < 4; ++row) out[row] = each[row * 4] * scale;
}

// scores becomes e^(scores - max); returns their sum. The room behind `count` up to a whole register is used.
OPENBOOK_INLINE float exponentiate(float* scores, int64_t count) {
  constexpr float kNothing = -std::numeric_limits<float>::infinity();
  Floats largest = Floats{} + kNothing, sums = {}, x;
  std::fill(scores + count, scores + (count + kLanes - 1) / kLanes * kLanes, kNothing);
  for (int64_t i = 0; i < count; i += kLanes) {
    load(scores + i, x);
    largest = x > largest ? x : largest;
  }
  float top = kNothing;
  for (int64_t lane = 0; lane < kLanes; ++lane) top = std::max(top, largest[lane]);
  for (int64_t i = 0; i < count; i += kLanes) {
    load(scores + i, x);
    x -= top;
    exponential(x);
    std::memcpy(scores + i, &x, sizeof x);
    sums += x;
  }
  return sum(sums);
}

// out[0 .. width) += sum_j weights[j] * rows[j, 0 .. width), for `Registers` registers of the rows' columns.
template <int64_t Registers, typename Element>
OPENBOOK_INLINE void add_weighted(const Element* rows, int64_t stride, const float* weights, int64_t count, float* out) {
  Floats sums[Registers] = {}, x;
  for (int64_t j = 0; j < count; ++j) {
    for (int64_t part = 0; part < Registers; ++part) {
      load(rows + j * stride + part * kLanes, x);
      sums[part] += weights[j] * x;
    }
  }
  std::memcpy(out, sums, sizeof sums);
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

// softmax(q k / sqrt(d_head) + bias * chosen) of one query; `chosen` may be null.
template <typename Element>
OPENBOOK_INLINE float weigh_keys(const float* query, const Element* keys, int64_t positions, int64_t d_head, float bias,
                                 const float* chosen, float* scores) {
  const float scale = 1 / std::sqrt(static_cast<float>(d_head));
  int64_t j = 0;
  if (d_head % kLanes == 0)
    for (; j + 4 <= positions; j += 4) four_dots(keys + j * d_head, query, d_head, scale, scores + j);
  for (; j < positions; ++j) scores[j] = dot(keys + j * d_head, query, d_head) * scale;
  if (chosen != nullptr)
    for (j = 0; j < positions; ++j) scores[j] += bias * chosen[j];
  return exponentiate(scores, positions);
}

template <typename Element>
OPENBOOK_INLINE void attend_head(const float* query, const Element* keys, const Element* values, int64_t positions,
                                 int64_t d_head, float* scores, float* z) {
  const float total = weigh_keys(query, keys, positions, d_head, 0, nullptr, scores);
  int64_t column = 0;
  for (; column + 4 * kLanes <= d_head; column += 4 * kLanes)
    add_weighted<4>(values + column, d_head, scores, positions, z + column);
  for (; column + kLanes <= d_head; column += kLanes) add_weighted<1>(values + column, d_head, scores, positions, z + column);
  for (; column < d_head; ++column) {
    z[column] = 0;
    for (int64_t j = 0; j < positions; ++j) z[column] += scores[j] * static_cast<float>(values[j * d_head + column]);
  }
  for (int64_t i = 0; i < d_head; ++i) z[i] /= total;
}

// The functions that are compiled for each processor; a template can't be.
#define OPENBOOK_FOR_ELEMENT(Element)                                                                                           \
  OPENBOOK_FOR_EACH_PROCESSOR void dots(const Element* rows, const float* x, int64_t count, int64_t columns, float* out) {      \
    for (int64_t row = 0; row < count; ++row) out[row] = weight_dot(rows + row * columns, x, columns);                          \
  }                                                                                                                             \
  OPENBOOK_FOR_EACH_PROCESSOR void silu(const Element* gate_up, int64_t columns, Element* out) {                                \
    silu_row(gate_up, columns, out);                                                                                            \
  }                                                                                                                             \
  OPENBOOK_FOR_EACH_PROCESSOR void attention(const float* query, const Element* keys, const Element* values, int64_t positions, \
                                             int64_t d_head, float* scores, float* z) {                                         \
    attend_head(query, keys, values, positions, d_head, scores, z);                                                             \
  }                                                                                                                             \
  OPENBOOK_FOR_EACH_PROCESSOR float weighing(const float* query, const Element* keys, int64_t positions, int64_t d_head,        \
                                             float bias, const float* chosen, float* scores) {                                  \
    return weigh_keys(query, keys, positions, d_head, bias, chosen, scores);                                                    \
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

template <typename Element, typename Out>
void matrix_times_vector(const Element* weight, const Element* x, const Element* bias, int64_t rows, int64_t columns, Out* y) {
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

template <typename Element>
void attend_one(const Element* query, CachedHeads<Element> keys, CachedHeads<Element> values, int64_t heads, int64_t kv_heads,
                int64_t positions, int64_t d_head, Element* z) {
  const int64_t grain = std::max<int64_t>(kBytesPerThread / (positions * d_head * static_cast<int64_t>(sizeof(Element))), 1);
  at::parallel_for(0, heads, grain, [&](int64_t begin, int64_t end) {
    std::vector<float> wide(d_head), summed(d_head), scores(positions + kLanes);
    for (int64_t head = begin; head < end; ++head) {
      const int64_t kv_head = head / (heads / kv_heads);
      std::copy(query + head * d_head, query + (head + 1) * d_head, wide.begin());
      attention(wide.data(), keys.start + kv_head * keys.head_stride, values.start + kv_head * values.head_stride, positions,
                d_head, scores.data(), summed.data());
      std::copy(summed.begin(), summed.end(), z + head * d_head);
    }
  });
}

template <typename Element>
void attention_rows(const Element* queries, const Element* keys, int64_t head_stride, const int64_t* key_rows, int64_t heads,
                    int64_t positions, int64_t d_head, const float* biases, const float* chosen, KeyWindow window, float* out,
                    int64_t out_stride) {
  const int64_t grain = std::max<int64_t>(kBytesPerThread / (positions * d_head * static_cast<int64_t>(sizeof(Element))), 1);
  at::parallel_for(0, heads, grain, [&](int64_t begin, int64_t end) {
    std::vector<float> wide(d_head), scores(positions + kLanes);
    for (int64_t head = begin; head < end; ++head) {
      std::copy(queries + head * d_head, queries + (head + 1) * d_head, wide.begin());
      const float bias = chosen == nullptr ? 0 : biases[head];
      const float total =
          weighing(wide.data(), keys + key_rows[head] * head_stride, positions, d_head, bias, chosen, scores.data());
      for (int64_t j = window.begin; j < window.end; ++j) out[head * out_stride + j - window.begin] = scores[j] / total;
    }
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
template void rms_norm(const float*, const float*, double, int64_t, int64_t, float*);
template void rms_norm(const at::BFloat16*, const at::BFloat16*, double, int64_t, int64_t, at::BFloat16*);
template void rotate(float*, int64_t, const float*, const float*, int64_t, int64_t, int64_t);
template void rotate(at::BFloat16*, int64_t, const float*, const float*, int64_t, int64_t, int64_t);
template void silu_times_up(const float*, int64_t, int64_t, float*);
template void silu_times_up(const at::BFloat16*, int64_t, int64_t, at::BFloat16*);
template void attend_one(const float*, CachedHeads<float>, CachedHeads<float>, int64_t, int64_t, int64_t, int64_t, float*);
template void attend_one(const at::BFloat16*, CachedHeads<at::BFloat16>, CachedHeads<at::BFloat16>, int64_t, int64_t, int64_t,
                         int64_t, at::BFloat16*);
template void attention_rows(const float*, const float*, int64_t, const int64_t*, int64_t, int64_t, int64_t, const float*,
                             const float*, KeyWindow, float*, int64_t);
template void attention_rows(const at::BFloat16*, const at::BFloat16*, int64_t, const int64_t*, int64_t, int64_t, int64_t,
                             const float*, const float*, KeyWindow, float*, int64_t);

}  // namespace openbook::engine::cpu
