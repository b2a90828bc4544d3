#include "decoder/attention.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "decoder/ops.h"

namespace openbook::engine {
namespace {

// Rows of a biased layer that share one mask [heads, rows, positions]: bounds its memory whatever the prompt's length.
constexpr int64_t kBiasedRows = 128;

}  // namespace

at::Tensor indicator(const std::vector<TokenRange>& ranges, int64_t positions, const at::TensorOptions& options) {
  at::Tensor inside = at::zeros({positions}, options);
  for (const TokenRange& range : ranges) {
    const int64_t end = std::min(range.end, positions);
    if (range.begin < end) inside.narrow(0, range.begin, end - range.begin).fill_(1);
  }
  return inside;
}

SequenceAttention::SequenceAttention(const ModelConfig& config, int64_t first, int64_t tokens, const HeadEdits* edits,
                                     const at::TensorOptions& options)
    : config_(config), first_(first), tokens_(tokens), edits_(edits), options_(options), edited_from_(tokens) {
  if (edits_ == nullptr) return;
  edited_from_ = std::clamp<int64_t>(edits_->from_position - first, 0, tokens);
  if (edits_->edits_any_bias() && edited_from_ < tokens) biased_keys_ = indicator(edits_->biased_keys(), first + tokens, options);
}

at::Tensor SequenceAttention::attend(int64_t layer, const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values) {
  if (edited_from_ == tokens_) return plain({0, tokens_}, queries, keys, values);
  at::Tensor z;
  if (edits_->edits_bias(layer)) {
    std::vector<at::Tensor> blocks;
    if (edited_from_ > 0) blocks.push_back(plain({0, edited_from_}, queries, keys, values));
    for (int64_t begin = edited_from_; begin < tokens_; begin += kBiasedRows)
      blocks.push_back(biased({begin, std::min(begin + kBiasedRows, tokens_)}, layer, queries, keys, values));
    z = blocks.size() == 1 ? blocks[0] : at::cat(blocks);
  } else {
    z = plain({0, tokens_}, queries, keys, values);
  }
  if (edits_->edits_gain(layer)) {
    const int64_t edited = tokens_ - edited_from_;
    z.narrow(0, edited_from_, edited).view({edited, config_.heads, config_.d_head}).mul_(edits_->gains()[layer].unsqueeze(-1));
  }
  return z;
}

at::Tensor SequenceAttention::plain(Rows rows, const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values) {
  if (attends_one(queries)) return attend_one(queries, keys, values);
  if (rows.size() == 1) return masked(rows, queries, keys, values, {}, /*causal=*/false);  // the last key is its own
  if (attends_many(queries)) {
    const int64_t positions = first_ + rows.end;
    return attend_many(queries.narrow(0, rows.begin, rows.size()), keys.narrow(1, 0, positions), values.narrow(1, 0, positions));
  }
  if (first_ == 0 && rows.begin == 0) return masked(rows, queries, keys, values, {}, /*causal=*/true);
  if (rows.size() < tokens_) return masked(rows, queries, keys, values, causal_mask(rows), /*causal=*/false);
  if (!plain_mask_.defined()) plain_mask_ = causal_mask(rows);
  return masked(rows, queries, keys, values, plain_mask_, /*causal=*/false);
}

at::Tensor SequenceAttention::biased(Rows rows, int64_t layer, const at::Tensor& queries, const at::Tensor& keys,
                                     const at::Tensor& values) {
  const int64_t positions = first_ + rows.end, group = config_.heads_per_kv_head();
  const at::Tensor bias = edits_->biases()[layer].to(options_.dtype()).view({config_.kv_heads, group, 1, 1});
  at::Tensor mask = bias * biased_keys_.narrow(0, 0, positions);
  if (rows.size() > 1) mask = mask + causal_mask(rows);
  return masked(rows, queries, keys, values, mask, /*causal=*/false);
}

at::Tensor SequenceAttention::masked(Rows rows, const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                                     const at::Tensor& mask, bool causal) {
  const int64_t positions = first_ + rows.end, kv_heads = config_.kv_heads, group = config_.heads_per_kv_head(),
                d_head = config_.d_head;
  const at::Tensor k = keys.narrow(1, 0, positions), v = values.narrow(1, 0, positions);
  const std::optional<at::Tensor> attn_mask = mask.defined() ? std::optional(mask) : std::nullopt;
  if (rows.size() == 1) {
    const at::Tensor q = queries.narrow(0, rows.begin, 1).view({1, kv_heads, group, d_head});
    const auto row_mask = attn_mask ? std::optional(attn_mask->view({1, kv_heads, group, positions})) : std::nullopt;
    return at::scaled_dot_product_attention(q, k.unsqueeze(0), v.unsqueeze(0), row_mask).reshape({1, kv_heads * group * d_head});
  }
  const at::Tensor q =
      queries.narrow(0, rows.begin, rows.size()).view({rows.size(), kv_heads, group, d_head}).permute({1, 2, 0, 3});
  const std::vector<int64_t> shape = {kv_heads, group, positions, d_head};
  const at::Tensor z = at::scaled_dot_product_attention(q, k.unsqueeze(1).expand(shape), v.unsqueeze(1).expand(shape), attn_mask,
                                                        /*dropout_p=*/0.0, causal);
  return z.permute({2, 0, 1, 3}).reshape({rows.size(), kv_heads * group * d_head});
}

at::Tensor SequenceAttention::causal_mask(Rows rows) const {
  const int64_t first = first_ + rows.begin;
  return at::full({rows.size(), first + rows.size()}, -std::numeric_limits<float>::infinity(), options_).triu_(first + 1);
}

}  // namespace openbook::engine
