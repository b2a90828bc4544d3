#include "lrp_attention.h"

#include <algorithm>
#include <cmath>

namespace openbook::attribution::lrp {
namespace {

// Scores of one block, in floats: small enough for a core's share of the cache on the CPU, large enough to keep a GPU busy.
constexpr int64_t kBlockScoresCpu = int64_t{1} << 19;
constexpr int64_t kBlockScoresCuda = int64_t{1} << 26;

// A block of queries [begin, end) with all keys that one of them sees, rows = queries x G.
struct Block {
  int64_t begin, end, keys;
  at::Tensor q;  // [N, rows, d_head]
};

int64_t queries_a_block(const AttentionInputs& inputs) {
  const int64_t budget = inputs.q.is_cuda() ? kBlockScoresCuda : kBlockScoresCpu;
  const int64_t scores_a_query = inputs.q.size(0) * inputs.q.size(2) * inputs.k.size(1);
  return std::clamp<int64_t>(budget / scores_a_query, std::min<int64_t>(16, inputs.q.size(1)), inputs.q.size(1));
}

at::Tensor rows_of(const at::Tensor& tensor, const Block& block) { return tensor.slice(1, block.begin, block.end).flatten(1, 2); }

// The block's attention after the softmax, [N, rows, keys].
at::Tensor pattern(const AttentionInputs& inputs, const Block& block) {
  at::Tensor scores = at::bmm(block.q, inputs.k.slice(1, 0, block.keys).transpose(1, 2));
  if (inputs.key_bias.defined()) {
    scores.add_(inputs.key_bias.unsqueeze(1));
  } else {
    const int64_t queries = block.end - block.begin, group = inputs.q.size(2);
    const at::Tensor future = at::full({queries, queries}, -INFINITY, scores.options()).triu_(1);
    scores.unflatten(1, {queries, group}).slice(3, block.begin, block.end).add_(future.unsqueeze(1));
  }
  return scores.softmax(-1);
}

}  // namespace

at::Tensor attention(const AttentionInputs& inputs) {
  if (inputs.key_bias.defined()) {
    const Block all{0, inputs.q.size(1), inputs.k.size(1), inputs.q.flatten(1, 2)};
    return at::bmm(pattern(inputs, all), inputs.v).view_as(inputs.q);
  }
  const auto for_each_head = [&](const at::Tensor& shared) { return shared.unsqueeze(1).expand({-1, inputs.q.size(2), -1, -1}); };
  return at::scaled_dot_product_attention(inputs.q.transpose(1, 2), for_each_head(inputs.k), for_each_head(inputs.v),
                                          /*attn_mask=*/{},
                                          /*dropout_p=*/0.0, /*is_causal=*/true, /*scale=*/1.0)
      .transpose(1, 2)
      .contiguous();
}

AttentionGradient attention_backward(const AttentionInputs& inputs, const at::Tensor& z, const at::Tensor& dz, AttentionRule rule,
                                     bool key_relevance) {
  const bool value_only = rule == AttentionRule::kHeldConstant;
  const double value_share = rule == AttentionRule::kUniform ? 0.5 : 1, score_share = rule == AttentionRule::kUniform ? 0.25 : 1;
  const int64_t queries = inputs.q.size(1), group = inputs.q.size(2);
  AttentionGradient gradient{at::zeros_like(inputs.q), at::zeros_like(inputs.k), at::zeros_like(inputs.v), {}};
  if (key_relevance) gradient.keys = at::zeros({inputs.k.size(0), group, inputs.k.size(1)}, inputs.k.options());
  // sum_j A_ij dA_ij = z_i . dz_i, which the softmax's Jacobian takes off every dA.
  const at::Tensor row_mean = (z * dz).sum(-1, /*keepdim=*/true);

  const int64_t step = queries_a_block(inputs);
  for (int64_t begin = 0; begin < queries; begin += step) {
    Block block{begin, std::min(begin + step, queries), inputs.k.size(1), {}};
    if (!inputs.key_bias.defined()) block.keys = block.end;
    block.q = rows_of(inputs.q, block);
    const at::Tensor a = pattern(inputs, block), dz_rows = rows_of(dz, block);
    at::Tensor dk = gradient.dk.slice(1, 0, block.keys), dv = gradient.dv.slice(1, 0, block.keys);
    dv.baddbmm_(a.transpose(1, 2), dz_rows, 1, value_share);
    if (value_only && !key_relevance) continue;

    at::Tensor da = at::bmm(dz_rows, inputs.v.slice(1, 0, block.keys).transpose(1, 2));
    if (key_relevance)
      gradient.keys.slice(2, 0, block.keys).add_((a * da).relu_().unflatten(1, {block.end - block.begin, group}).sum(1));
    if (value_only) continue;
    const at::Tensor dscores = da.sub_(rows_of(row_mean, block)).mul_(a);
    gradient.dq.slice(1, block.begin, block.end)
        .copy_(at::bmm(dscores, inputs.k.slice(1, 0, block.keys)).unflatten(1, {-1, group}));
    dk.baddbmm_(dscores.transpose(1, 2), block.q, 1, score_share);
  }
  gradient.dq.mul_(score_share);
  return gradient;
}

}  // namespace openbook::attribution::lrp
