// What a GPU does better in one kernel of our own than in several of libtorch's: the steps of one decoded token, and those
// between the products of a prompt.
//
// A decoded token of a small model is a few hundred kernels of a few microseconds, and starting them is what takes the time. So
// the norm before a product and the residual sum behind it are part of the product, attention of one query is one kernel, and
// what changes from token to token is read from device memory: the kernels can be captured once and replayed (token_step.h). They
// sum in float32 and keep in float32 what libtorch rounds to bfloat16 between two operations. Element is float or at::BFloat16;
// all pointers are memory of the stream's device. Thread-safe: a call only enqueues; errors of a launch are left for
// cudaGetLastError.
#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>

struct CUstream_st;

namespace openbook::engine::cuda {

using Stream = CUstream_st*;

// What a matrix is multiplied by: x, or, when there is a gain, x * gain divided by the root of the mean square and epsilon; the
// mean square is that of `rms_of` (float32, as many numbers) or else of x.
template <typename Element>
struct Operand {
  const Element* x;
  const Element* gain = nullptr;
  float epsilon = 0;
  const float* rms_of = nullptr;
};

// y[i] = dot(weight[i, :], x) + bias[i], added to what y holds when `add`; bias may be null. Out is Element or float.
template <typename Element, typename Out>
void matrix_times_vector(const Element* weight, Operand<Element> x, const Element* bias, int64_t rows, int64_t columns, bool add,
                         Out* y, Stream stream);

// y[i] = silu(g[i]) * g[rows + i], g being the product of a matrix of 2 * rows rows, gates before ups, with x, plus bias.
template <typename Element>
void gated_matrix_times_vector(const Element* weight, Operand<Element> x, const Element* bias, int64_t rows, int64_t columns,
                               Element* y, Stream stream);

// best[0] = the largest of `count` values, best[1] = where it first stands; NaN counts as the largest.
void largest(const float* values, int64_t count, double* best, Stream stream);

// In place: (a, b) of each head's two halves becomes (a cos - b sin, b cos + a sin). Row t of x starts at x + t * stride and
// holds `heads` heads of d_head; row t of cos and sin, at cos + t * d_head, has equal halves.
template <typename Element>
void rotate(Element* x, int64_t stride, const float* cos, const float* sin, int64_t tokens, int64_t heads, int64_t d_head,
            Stream stream);

// out = silu(gate) * up of `rows` rows, each `columns` gates and then as many ups.
template <typename Element>
void silu_times_up(const Element* gate_up, int64_t rows, int64_t columns, Element* out, Stream stream);

// Copies rows [tokens, heads, d_head], a token's heads side by side and tokens `stride` apart, to where each head's tokens lie
// side by side: head h's start at cached + h * head_stride.
template <typename Element>
void store(const Element* rows, int64_t stride, int64_t tokens, int64_t heads, int64_t d_head, Element* cached,
           int64_t head_stride, Stream stream);

// Row i of out, [rows, width], becomes row chosen[i] of x, or row i when chosen is null.
template <typename Element, typename Out>
void gather_rows(const Element* x, const int64_t* chosen, int64_t rows, int64_t width, Out* out, Stream stream);

// Starts a token: its embedding becomes the residual stream, and its position stands where the kernels below read it.
template <typename Element>
void begin_token(const Element* embedding, int64_t token, int64_t d_model, int32_t position, Element* resid,
                 int32_t* position_out, Stream stream);

// A model's heads. `heads` / `kv_heads` query heads share a key/value head.
struct HeadShape {
  int heads, kv_heads, d_head;
};

// Keys or values of one layer: head h's position p starts at start + h * head_stride + p * d_head.
template <typename Element>
struct CachedHeads {
  Element* start;
  int64_t head_stride;
};

// A token's heads before attention.
template <typename Element>
struct TokenHeads {
  const Element* qkv;      // queries over keys over values
  const float *cos, *sin;  // tables of all positions, [positions, d_head], halves equal
  Element* queries;        // [heads * d_head], written: after rotation
};

// What is added to scores: biases[h] * chosen[position]; none when null.
struct ScoreBias {
  const float* biases = nullptr;
  const float* chosen = nullptr;
};

// Whether the kernels below take so many positions and heads of that width.
bool attends(int64_t capacity, int64_t d_head);

// Where attend's blocks leave their parts of the positions.
struct AttentionParts {
  float* sums;        // [heads, attention_parts(capacity), d_head + 2]
  int32_t* finished;  // [heads], 0 before and after
};
int64_t attention_parts(int64_t capacity);

// Rotates the token's queries and key, writes its key and value to the cache at `position`, and gives
// z = softmax(q k / sqrt(d_head) + bias) v of every query head over the keys up to there, times gains[h] (null: 1). `capacity`
// bounds the positions.
template <typename Element>
void attend(TokenHeads<Element> token, HeadShape shape, CachedHeads<Element> keys, CachedHeads<Element> values, ScoreBias bias,
            const float* gains, const int32_t* position, int64_t capacity, AttentionParts parts, Element* z, Stream stream);

struct KeyWindow {
  int64_t begin, end;
};

// Row i of out becomes softmax(q k / sqrt(d_head) + bias) at the positions of `window`, 0 behind `position`. Its query starts at
// queries + query_rows[i] * d_head and has the bias biases[query_rows[i]]; its keys are those of head key_rows[i].
template <typename Element>
void patterns(const Element* queries, const int64_t* query_rows, CachedHeads<Element> keys, const int64_t* key_rows,
              ScoreBias bias, int64_t rows, int64_t d_head, const int32_t* position, int64_t capacity, KeyWindow window,
              float* out, Stream stream);

}  // namespace openbook::engine::cuda
