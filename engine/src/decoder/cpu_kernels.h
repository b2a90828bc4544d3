// What a CPU does better by hand than by libtorch: matrix times vector at the speed of memory, attention, and the small steps
// between two products without a tensor operation's overhead each.
//
// libtorch 2.11's products with one row reach about half of what a core can read; its fused attention of one query takes four
// times as long as reading the keys, that of a prompt about as long as all linear layers together (docs/measurements.md). These
// kernels sum in float32 and are compiled for AVX-512, AVX2 and the baseline; the processor's own is chosen when the program
// starts. Element is float or at::BFloat16. Thread-safe; work is split over libtorch's threads.
#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>
#include <type_traits>

namespace openbook::engine::cpu {

// y[i] = dot(weight[i, :], x) + bias[i] for i in [0, rows); bias may be null. In and Out are Element or float.
template <typename Element, typename In, typename Out>
void matrix_times_vector(const Element* weight, const In* x, const std::type_identity_t<Element>* bias, int64_t rows,
                         int64_t columns, Out* y);

// out = x / sqrt(mean(x^2) + epsilon) * weight for each of `rows` rows.
template <typename Element>
void rms_norm(const Element* x, const Element* weight, double epsilon, int64_t rows, int64_t columns, Element* out);

// In place: (a, b) of each head's two halves becomes (a cos - b sin, b cos + a sin). Row t of x starts at x + t * stride and
// holds `heads` heads of d_head; row t of cos and sin, at cos + t * d_head, has equal halves.
template <typename Element>
void rotate(Element* x, int64_t stride, const float* cos, const float* sin, int64_t tokens, int64_t heads, int64_t d_head);

// out = silu(gate) * up of `rows` rows, each `columns` gates and then as many ups.
template <typename Element>
void silu_times_up(const Element* gate_up, int64_t rows, int64_t columns, Element* out);

// Keys or values of one layer: head h's position p starts at start + h * head_stride + p * d_head.
template <typename Element>
struct CachedHeads {
  const Element* start;
  int64_t head_stride;
};

// One query of `heads` heads against `positions` keys: z = softmax(q k / sqrt(d_head)) v. `heads` / `kv_heads` queries share a
// key/value head.
template <typename Element>
void attend_one(const Element* query, CachedHeads<Element> keys, CachedHeads<Element> values, int64_t heads, int64_t kv_heads,
                int64_t positions, int64_t d_head, Element* z);

// Queries of one sequence: row t starts at start + t * stride and holds its heads side by side.
template <typename Element>
struct QueryRows {
  const Element* start;
  int64_t stride, rows;
};

// Whether attend_many can take heads of this width: multiples of 32.
bool attends_many(int64_t d_head);

// Causal attention of the queries at positions first .. first + rows - 1, each over the keys up to its own position. Row t of z
// holds `heads` heads. Keys and values are copied as float32, so memory is 8 bytes for each of their elements, beside the scores
// of 16 queries a thread.
template <typename Element>
void attend_many(QueryRows<Element> queries, CachedHeads<Element> keys, CachedHeads<Element> values, int64_t heads,
                 int64_t kv_heads, int64_t first, int64_t d_head, Element* z);

struct KeyWindow {
  int64_t begin, end;
};

// Row h of out becomes softmax(query_h k / sqrt(d_head) + biases[h] * chosen) at the positions of `window`. Head h reads the keys
// that start at keys + key_rows[h] * head_stride; `chosen`, 0 or 1 for each position, and `biases` may be null.
template <typename Element>
void attention_rows(const Element* queries, const Element* keys, int64_t head_stride, const int64_t* key_rows, int64_t heads,
                    int64_t positions, int64_t d_head, const float* biases, const float* chosen, KeyWindow window, float* out,
                    int64_t out_stride);

// Adds up `count` floats, but for a rest of less than 128 a thread: a measure of how fast memory can be read.
float read_all(const float* values, int64_t count);

}  // namespace openbook::engine::cpu
