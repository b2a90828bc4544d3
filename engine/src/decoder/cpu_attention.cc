#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "decoder/cpu_kernels.h"
#include "decoder/cpu_lanes.h"

namespace openbook::engine::cpu {
namespace {

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

// A prompt's attention works on this many queries at once, against this many keys or columns of values: 8 registers of sums,
// which two multiplications a cycle keep busy, and keys that are read from the nearest cache by all queries.
constexpr int64_t kTileRows = 4, kTileColumns = 2 * kLanes;
constexpr int64_t kBlockRows = 4 * kTileRows;
constexpr int64_t kBlockDepth = 128;

constexpr int64_t whole_tiles(int64_t columns) { return (columns + kTileColumns - 1) / kTileColumns * kTileColumns; }

// sums[r, c] (+)= a[r, 0 .. depth) . b[0 .. depth, c] of one tile.
OPENBOOK_INLINE void multiply_tile(const float* a, int64_t a_stride, const float* b, int64_t depth, bool add, float* out,
                                   int64_t out_stride) {
  Floats sums[kTileRows][2] = {}, left, right;
  if (add)
    for (int64_t row = 0; row < kTileRows; ++row) std::memcpy(sums[row], out + row * out_stride, sizeof sums[row]);
  for (int64_t i = 0; i < depth; ++i) {
    load(b + i * kTileColumns, left);
    load(b + i * kTileColumns + kLanes, right);
    for (int64_t row = 0; row < kTileRows; ++row) {
      sums[row][0] += a[row * a_stride + i] * left;
      sums[row][1] += a[row * a_stride + i] * right;
    }
  }
  for (int64_t row = 0; row < kTileRows; ++row) std::memcpy(out + row * out_stride, sums[row], sizeof sums[row]);
}

// out [kBlockRows, columns] = a [kBlockRows, depth] . b [depth, columns], which lies by tiles of columns, tile_size apart.
OPENBOOK_INLINE void multiply_block(const float* a, int64_t a_stride, const float* b, int64_t tile_size, int64_t depth,
                                    int64_t columns, float* out, int64_t out_stride) {
  for (int64_t begin = 0; begin < depth; begin += kBlockDepth) {
    const int64_t size = std::min(kBlockDepth, depth - begin);
    for (int64_t column = 0; column < columns; column += kTileColumns) {
      const float* tile = b + column / kTileColumns * tile_size + begin * kTileColumns;
      for (int64_t row = 0; row < kBlockRows; row += kTileRows)
        multiply_tile(a + row * a_stride + begin, a_stride, tile, size, begin > 0, out + row * out_stride + column, out_stride);
    }
  }
}

// The functions that are compiled for each processor; a template can't be.
#define OPENBOOK_FOR_ELEMENT(Element)                                                                                           \
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

// Queries of one head at the positions first .. first + rows - 1, already divided by sqrt(d_head), in a block that is padded to
// kBlockRows. Keys and values as WideHeads has them.
OPENBOOK_FOR_EACH_PROCESSOR void attend_block(const float* queries, const float* keys, const float* values, int64_t value_tile,
                                              int64_t first, int64_t rows, int64_t d_head, float* scores, float* z) {
  const int64_t positions = first + rows, width = whole_tiles(positions);
  multiply_block(queries, d_head, keys, d_head * kTileColumns, d_head, width, scores, width);
  float totals[kBlockRows];
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t seen = first + row + 1;
    totals[row] = exponentiate(scores + row * width, seen);
    std::fill(scores + row * width + seen, scores + (row + 1) * width, 0.0f);
  }
  multiply_block(scores, width, values, value_tile, positions, d_head, z, d_head);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < d_head; ++i) z[row * d_head + i] /= totals[row];
}

// Keys and values of all key/value heads in float32, by tiles that a cache holds without rows pushing each other out: of keys
// [tile of positions, d_head, kTileColumns], 0 past the last; of values [tile of d_head, positions, kTileColumns].
class WideHeads {
 public:
  template <typename Element>
  WideHeads(CachedHeads<Element> keys, CachedHeads<Element> values, int64_t kv_heads, int64_t positions, int64_t d_head)
      : positions_(positions),
        d_head_(d_head),
        key_size_(d_head * whole_tiles(positions)),
        value_size_(d_head * positions),
        memory_(new float[kv_heads * (key_size_ + value_size_)]) {
    at::parallel_for(0, 2 * kv_heads, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t head = i / 2;
        float* to = memory_.get() + head * (key_size_ + value_size_);
        if (i % 2 == 0)
          tile_keys(keys.start + head * keys.head_stride, to);
        else
          tile_values(values.start + head * values.head_stride, to + key_size_);
      }
    });
  }

  const float* keys(int64_t head) const { return memory_.get() + head * (key_size_ + value_size_); }
  const float* values(int64_t head) const { return keys(head) + key_size_; }
  int64_t value_tile() const { return positions_ * kTileColumns; }

 private:
  template <typename Element>
  void tile_keys(const Element* rows, float* to) const {
    for (int64_t begin = 0; begin < positions_; begin += kTileColumns) {
      const int64_t count = std::min(kTileColumns, positions_ - begin);
      for (int64_t i = 0; i < d_head_; ++i, to += kTileColumns) {
        for (int64_t j = 0; j < count; ++j) to[j] = static_cast<float>(rows[(begin + j) * d_head_ + i]);
        std::fill(to + count, to + kTileColumns, 0.0f);
      }
    }
  }

  template <typename Element>
  void tile_values(const Element* rows, float* to) const {
    for (int64_t column = 0; column < d_head_; column += kTileColumns)
      for (int64_t j = 0; j < positions_; ++j, to += kTileColumns) std::copy_n(rows + j * d_head_ + column, kTileColumns, to);
  }

  int64_t positions_, d_head_, key_size_, value_size_;
  std::unique_ptr<float[]> memory_;
};

}  // namespace

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

bool attends_many(int64_t d_head) { return d_head % kTileColumns == 0; }

template <typename Element>
void attend_many(QueryRows<Element> queries, CachedHeads<Element> keys, CachedHeads<Element> values, int64_t heads,
                 int64_t kv_heads, int64_t first, int64_t d_head, Element* z) {
  const int64_t positions = first + queries.rows, blocks = (queries.rows + kBlockRows - 1) / kBlockRows;
  const WideHeads wide(keys, values, kv_heads, positions, d_head);
  const float scale = 1 / std::sqrt(static_cast<float>(d_head));
  at::parallel_for(0, heads * blocks, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> block(kBlockRows * d_head), summed(kBlockRows * d_head), scores(kBlockRows * whole_tiles(positions));
    for (int64_t item = begin; item < end; ++item) {
      const int64_t head = item / blocks, kv_head = head / (heads / kv_heads), row = item % blocks * kBlockRows;
      const int64_t rows = std::min(kBlockRows, queries.rows - row);
      for (int64_t i = 0; i < rows; ++i) {
        const Element* query = queries.start + (row + i) * queries.stride + head * d_head;
        for (int64_t j = 0; j < d_head; ++j) block[i * d_head + j] = static_cast<float>(query[j]) * scale;
      }
      std::fill(block.begin() + rows * d_head, block.end(), 0.0f);
      attend_block(block.data(), wide.keys(kv_head), wide.values(kv_head), wide.value_tile(), first + row, rows, d_head,
                   scores.data(), summed.data());
      for (int64_t i = 0; i < rows; ++i) std::copy_n(summed.data() + i * d_head, d_head, z + ((row + i) * heads + head) * d_head);
    }
  });
}

template void attend_one(const float*, CachedHeads<float>, CachedHeads<float>, int64_t, int64_t, int64_t, int64_t, float*);
template void attend_one(const at::BFloat16*, CachedHeads<at::BFloat16>, CachedHeads<at::BFloat16>, int64_t, int64_t, int64_t,
                         int64_t, at::BFloat16*);
template void attention_rows(const float*, const float*, int64_t, const int64_t*, int64_t, int64_t, int64_t, const float*,
                             const float*, KeyWindow, float*, int64_t);
template void attention_rows(const at::BFloat16*, const at::BFloat16*, int64_t, const int64_t*, int64_t, int64_t, int64_t,
                             const float*, const float*, KeyWindow, float*, int64_t);
template void attend_many(QueryRows<float>, CachedHeads<float>, CachedHeads<float>, int64_t, int64_t, int64_t, int64_t, float*);
template void attend_many(QueryRows<at::BFloat16>, CachedHeads<at::BFloat16>, CachedHeads<at::BFloat16>, int64_t, int64_t,
                          int64_t, int64_t, at::BFloat16*);

}  // namespace openbook::engine::cpu
