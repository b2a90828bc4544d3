#include "decoder/step.h"

#include <algorithm>

#include "decoder/ops.h"
#include "openbook/engine/rows.h"

namespace openbook::engine {

Step::Step(const Model& model, const std::vector<Sequence>& sequences, const Cancellation* cancellation)
    : model_(model), config_(model.config()), cancellation_(cancellation) {
  const auto options = at::TensorOptions(model.dtype()).device(model.device());
  for (const Sequence& sequence : sequences) {
    const auto tokens = static_cast<int64_t>(sequence.tokens.size());
    const int64_t first = sequence.cache->size();
    slices_.push_back({.sequence = &sequence,
                       .begin = tokens_,
                       .tokens = tokens,
                       .first = first,
                       .attention = SequenceAttention(config_, first, tokens, sequence.edits, options)});
    tokens_ += tokens;
  }
}

std::vector<StepResult> Step::run() {
  embed();
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    if (cancellation_ != nullptr) cancellation_->check();
    run_layer(layer);
  }
  for (const Slice& slice : slices_)
    if (slice.sequence->taps != nullptr) fill_taps(slice);
  return logits();
}

void Step::embed() {
  std::vector<TokenId> ids;
  std::vector<at::Tensor> cos, sin;
  for (const Slice& slice : slices_) {
    ids.insert(ids.end(), slice.sequence->tokens.begin(), slice.sequence->tokens.end());
    cos.push_back(model_.rope_cos().narrow(0, slice.first, slice.tokens));
    sin.push_back(model_.rope_sin().narrow(0, slice.first, slice.tokens));
  }
  // One token's row is copied where it stands: ids on a device would have to be sent there first.
  resid_ = tokens_ == 1 ? model_.embedding().narrow(0, ids[0], 1).clone()
                        : model_.embedding().index_select(0, at::tensor(ids, at::kInt).to(model_.device()));
  cos_ = cos.size() == 1 ? cos[0] : at::cat(cos);
  sin_ = sin.size() == 1 ? sin[0] : at::cat(sin);
}

void Step::run_layer(int64_t layer) {
  const LayerWeights& weights = model_.layer(layer);
  const at::Tensor qkv = normed_linear(resid_, weights.attention_norm, config_.norm_epsilon, weights.qkv, weights.qkv_bias);
  add_linear(resid_, attend(layer, qkv), weights.attention_out, weights.attention_out_bias);
  add_mlp(resid_, weights, config_.norm_epsilon);
}

at::Tensor Step::attend(int64_t layer, const at::Tensor& qkv) {
  const int64_t heads = config_.heads, kv_heads = config_.kv_heads;
  const at::Tensor by_head = qkv.view({tokens_, heads + 2 * kv_heads, config_.d_head});
  rotate(by_head, heads + kv_heads, cos_, sin_);
  const at::Tensor queries = by_head.narrow(1, 0, heads), keys = by_head.narrow(1, heads, kv_heads);
  const at::Tensor values = by_head.narrow(1, heads + kv_heads, kv_heads);
  if (slices_.size() == 1) return attend(layer, slices_[0], queries, keys, values);
  std::vector<at::Tensor> z;
  for (Slice& slice : slices_)
    z.push_back(attend(layer, slice, queries.narrow(0, slice.begin, slice.tokens), keys.narrow(0, slice.begin, slice.tokens),
                       values.narrow(0, slice.begin, slice.tokens)));
  return at::cat(z);
}

at::Tensor Step::attend(int64_t layer, Slice& slice, const at::Tensor& queries, const at::Tensor& keys,
                        const at::Tensor& values) {
  const KvCache& cache = *slice.sequence->cache;
  const at::Tensor cached_keys = cache.keys()[layer], cached_values = cache.values()[layer];  // [kv_heads, capacity, d_head]
  store(keys, cached_keys.narrow(1, slice.first, slice.tokens));
  store(values, cached_values.narrow(1, slice.first, slice.tokens));
  const int64_t positions = slice.first + slice.tokens;
  const at::Tensor z =
      slice.attention.attend(layer, queries, cached_keys.narrow(1, 0, positions), cached_values.narrow(1, 0, positions));
  if (HeadTaps* taps = slice.sequence->taps; taps != nullptr && taps->taps_layer(layer)) {
    copy_row(queries, slice.tokens - 1, taps->layer_queries(), layer);
    copy_row(z, slice.tokens - 1, taps->layer_z(), layer);
  }
  return z;
}

// All tapped heads of all layers at once, from the cached keys; nothing of the other heads is touched.
void Step::fill_taps(const Slice& slice) {
  HeadTaps& taps = *slice.sequence->taps;
  copy_row(resid_, slice.begin + slice.tokens - 1, taps.resid_final(), 0);
  if (taps.heads().empty()) return;
  gather_rows(taps.layer_z(), taps.query_rows(), taps.z());
  const int64_t positions = slice.first + slice.tokens;
  const int64_t seen = std::clamp<int64_t>(positions - taps.keys().begin, 0, taps.keys().size());
  if (seen < taps.keys().size()) taps.pattern().zero_();
  if (seen == 0) return;
  RowBias bias;
  if (slice.attention.biased_keys().defined())
    bias = {.biases = slice.sequence->edits->biases().view({-1}).index_select(0, taps.query_rows()),
            .chosen = slice.attention.biased_keys().to(at::kFloat)};
  const at::Tensor keys = slice.sequence->cache->keys().flatten(0, 1).narrow(1, 0, positions);
  gather_rows(taps.layer_queries(), taps.query_rows(), taps.queries());
  attention_rows(taps.queries(), keys, taps.key_rows(), bias, taps.keys().begin, taps.pattern().narrow(1, 0, seen));
}

std::vector<StepResult> Step::logits() {
  std::vector<at::Tensor> rows;
  for (const Slice& slice : slices_) {
    const bool all = slice.sequence->logits_of == LogitsOf::kAll;
    rows.push_back(all ? resid_.narrow(0, slice.begin, slice.tokens) : resid_.narrow(0, slice.begin + slice.tokens - 1, 1));
  }
  const at::Tensor wanted = rows.size() == 1 ? rows[0] : at::cat(rows);
  const at::Tensor logits = unembed(wanted, model_.final_norm(), config_.norm_epsilon, model_.unembedding());
  std::vector<StepResult> results;
  int64_t row = 0;
  for (const at::Tensor& part : rows) {
    results.push_back({logits.narrow(0, row, part.size(0))});
    row += part.size(0);
  }
  return results;
}

}  // namespace openbook::engine
