// The few operations that a Llama block is made of beside attention. x is [tokens, features] in the model's dtype, contiguous.
//
// The CPU's own kernels take what libtorch is slow at (one token; rows without a fused operation), CUDA's (cuda/kernels.h) what
// would be several kernels of libtorch's, libtorch the rest. A single token on CUDA doesn't come here (cuda/token_step.h).
#pragma once

#include <ATen/ATen.h>

#include "openbook/engine/model.h"

namespace openbook::engine {

// norm(x) W^T + bias in x's dtype, norm(x) = x / sqrt(mean(x^2) + epsilon) * gain, computed in float32 (Zhang & Sennrich 2019,
// arXiv 1910.07467). `bias` may be undefined.
at::Tensor normed_linear(const at::Tensor& x, const at::Tensor& gain, double epsilon, const at::Tensor& weight,
                         const at::Tensor& bias);

// resid += x W^T + bias; `bias` may be undefined.
void add_linear(const at::Tensor& resid, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// resid += W_down (silu(gate) * up), gate and up being the halves of W_gate_up norm(resid).
void add_mlp(const at::Tensor& resid, const LayerWeights& weights, double epsilon);

// norm(x) W_U^T in float32; of several tokens or on CUDA rounded to x's dtype on the way.
at::Tensor unembed(const at::Tensor& x, const at::Tensor& gain, double epsilon, const at::Tensor& unembedding);

// Rotates the first `heads` heads of x, [tokens, more heads, d_head], in place; cos and sin are float32 [tokens, d_head].
void rotate(const at::Tensor& x, int64_t heads, const at::Tensor& cos, const at::Tensor& sin);

// Copies rows [tokens, heads, d_head] into a cache's [heads, tokens, d_head].
void store(const at::Tensor& rows, const at::Tensor& cached);

// Whether attend_one can take it: one query on the CPU.
bool attends_one(const at::Tensor& queries);

// softmax(q k^T / sqrt(d_head)) v of one query without a mask. query: [1, heads, d_head]; keys, values: [kv_heads, positions,
// d_head]. Gives [1, heads * d_head].
at::Tensor attend_one(const at::Tensor& query, const at::Tensor& keys, const at::Tensor& values);

// Whether attend_many can take them: any number of queries on the CPU, of heads whose width the kernel has registers for.
bool attends_many(const at::Tensor& queries);

// Causal attention of the last positions' queries, [tokens, heads, d_head], a position's heads side by side; keys, values:
// [kv_heads, positions, d_head]. Gives [tokens, heads * d_head].
at::Tensor attend_many(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values);

// What attention_rows adds to its scores: biases[h] toward the chosen keys.
struct RowBias {
  at::Tensor biases;  // float32 [heads]; undefined: none
  at::Tensor chosen;  // float32 [positions], 0 or 1
};

// softmax(q k^T / sqrt(d_head) + bias) of chosen heads' queries [head, d_head], each against row key_rows[head] (int64) of keys
// [rows, positions, d_head]; fills `pattern` [head, n], float32, with keys first_key .. first_key + n - 1.
void attention_rows(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& key_rows, const RowBias& bias,
                    int64_t first_key, const at::Tensor& pattern);

}  // namespace openbook::engine
