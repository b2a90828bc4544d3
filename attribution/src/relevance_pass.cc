#include "relevance_pass.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "lrp_rules.h"
#include "openbook/base/error.h"

namespace openbook::attribution {
namespace {

using engine::LayerWeights;
using engine::ModelConfig;

// Which positions of a layer ask: all, or each sequence's last one. "Rows" below are those positions of [batch, tokens, ...].
struct Queries {
  at::Tensor rows;         // [batch] among batch * tokens; undefined: all
  lrp::Rotation rotation;  // broadcast to [batch, kv_heads, queries, group, d_head / 2], scaled by 1 / sqrt(d_head)
  at::Tensor key_bias;     // see lrp::AttentionInputs
};

// What a layer's backward needs of its forward.
struct Tape {
  at::Tensor attention_scale;  // [batch, tokens, 1]
  lrp::AttentionInputs attention;
  at::Tensor z;            // [batch * kv_heads, queries, group, d_head]
  at::Tensor mlp_scale;    // [batch, queries, 1]
  at::Tensor mlp_factors;  // [batch, queries, 2, d_mlp]
  at::Tensor x, middle;    // what the two norms got; kept for the plain gradient only
};

class Pass {
 public:
  Pass(const engine::Model& model, const at::Tensor& tokens, const at::Tensor& lengths, const RelevancePassOptions& options);

  BatchRelevance run(const at::Tensor& targets);

 private:
  const Queries& queries(int64_t layer) const { return layer == config_.layers - 1 ? last_ : all_; }
  bool plain() const { return options_.rules == BackwardRules::kPlainGradient; }
  at::Tensor norm_backward(const at::Tensor& dy, const at::Tensor& gain, const at::Tensor& x, const at::Tensor& scale) const {
    return plain() ? lrp::rms_norm_gradient(dy, gain, x, scale) : lrp::rms_norm_backward(dy, gain, scale);
  }

  at::Tensor forward(int64_t layer, const at::Tensor& x, Tape& tape) const;
  lrp::AttentionInputs project(int64_t layer, const at::Tensor& normed) const;

  at::Tensor backward(int64_t layer, const at::Tensor& dx, const Tape& tape);
  at::Tensor project_backward(int64_t layer, const lrp::AttentionGradient& gradient) const;

  at::Tensor split_heads(
      const at::Tensor& flat) const;  // [batch, queries, heads * d_head] -> [batch * kv_heads, queries, group, d_head]
  at::Tensor merge_heads(const at::Tensor& heads) const;  // and back
  at::Tensor by_head(const at::Tensor& shared) const;     // [batch * kv_heads, group, ...] -> [batch, heads, ...]
  void require_finite() const;

  const engine::Model& model_;
  const ModelConfig& config_;
  const RelevancePassOptions& options_;
  const at::Tensor& token_ids_;
  const int64_t batch_, tokens_, group_;
  lrp::Rotation key_rotation_;  // [tokens, d_head / 2]
  Queries all_, last_;
  std::vector<at::Tensor> head_relevance_, key_relevance_;  // by layer
  std::vector<at::Tensor> forward_sums_,
      backward_sums_;  // of each layer's output and gradient: not finite when an element is not
};

Pass::Pass(const engine::Model& model, const at::Tensor& tokens, const at::Tensor& lengths, const RelevancePassOptions& options)
    : model_(model),
      config_(model.config()),
      options_(options),
      token_ids_(tokens),
      batch_(tokens.size(0)),
      tokens_(tokens.size(1)),
      group_(config_.heads / config_.kv_heads),
      head_relevance_(config_.layers),
      key_relevance_(config_.layers),
      forward_sums_(config_.layers),
      backward_sums_(config_.layers) {
  const int64_t half = config_.d_head / 2;  // both halves of a table row hold the same angles
  const auto table = [&](const at::Tensor& whole) { return whole.slice(0, 0, tokens_).slice(1, 0, half).contiguous(); };
  key_rotation_ = {table(model.rope_cos()), table(model.rope_sin())};
  const double scale = 1 / std::sqrt(double(config_.d_head));
  const lrp::Rotation scaled{key_rotation_.cos * scale, key_rotation_.sin * scale};
  all_.rotation = {scaled.cos.unsqueeze(1), scaled.sin.unsqueeze(1)};

  const at::Tensor last = lengths - 1;
  const auto at_last = [&](const at::Tensor& angles) { return angles.index_select(0, last).view({batch_, 1, 1, 1, half}); };
  last_.rows = at::arange(batch_, lengths.options()) * tokens_ + last;
  last_.rotation = {at_last(scaled.cos), at_last(scaled.sin)};
  const at::Tensor padding = at::arange(tokens_, lengths.options()).unsqueeze(0) >= lengths.unsqueeze(1);
  last_.key_bias =
      at::zeros({batch_, tokens_}, scaled.cos.options()).masked_fill_(padding, -INFINITY).repeat_interleave(config_.kv_heads, 0);
}

at::Tensor query_rows(const at::Tensor& x, const Queries& queries) {
  return queries.rows.defined() ? x.flatten(0, 1).index_select(0, queries.rows).unsqueeze(1) : x;
}

void add_to_query_rows(at::Tensor& dx, const at::Tensor& rows, const Queries& queries) {
  if (queries.rows.defined())
    dx.flatten(0, 1).index_add_(0, queries.rows, rows.squeeze(1));
  else
    dx.add_(rows);
}

at::Tensor Pass::split_heads(const at::Tensor& flat) const {
  return flat.unflatten(-1, {config_.kv_heads, group_, config_.d_head}).transpose(1, 2).flatten(0, 1);
}

at::Tensor Pass::merge_heads(const at::Tensor& heads) const {
  return heads.unflatten(0, {batch_, config_.kv_heads}).transpose(1, 2).flatten(2);
}

at::Tensor Pass::by_head(const at::Tensor& shared) const { return shared.unflatten(0, {batch_, config_.kv_heads}).flatten(1, 2); }

lrp::AttentionInputs Pass::project(int64_t layer, const at::Tensor& normed) const {
  const LayerWeights& weights = model_.layer(layer);
  const Queries& asking = queries(layer);
  const auto projected = [&](const at::Tensor& x, int64_t begin, int64_t heads) {
    const int64_t from = begin * config_.d_head, width = heads * config_.d_head;
    return lrp::linear(x, weights.qkv.narrow(0, from, width),
                       weights.qkv_bias.defined() ? weights.qkv_bias.narrow(0, from, width) : at::Tensor());
  };
  const at::Tensor q = projected(query_rows(normed, asking), 0, config_.heads)
                           .unflatten(-1, {config_.kv_heads, group_, config_.d_head})
                           .transpose(1, 2);  // [batch, kv_heads, queries, group, d_head]
  const at::Tensor kv = projected(normed, config_.heads, 2 * config_.kv_heads)
                            .unflatten(-1, {2, config_.kv_heads, config_.d_head})
                            .permute({2, 0, 3, 1, 4});  // [2, batch, kv_heads, tokens, d_head]
  at::Tensor q_rotated = at::empty(q.sizes(), q.options()), k_rotated = at::empty(kv.sizes().slice(1), q.options());
  lrp::rotate(q, asking.rotation, q_rotated);
  lrp::rotate(kv[0], key_rotation_, k_rotated);
  return {q_rotated.flatten(0, 1), k_rotated.flatten(0, 1), kv[1].contiguous().flatten(0, 1), asking.key_bias};
}

at::Tensor Pass::project_backward(int64_t layer, const lrp::AttentionGradient& gradient) const {
  const LayerWeights& weights = model_.layer(layer);
  const Queries& asking = queries(layer);
  const int64_t q_width = config_.heads * config_.d_head, kv_width = 2 * config_.kv_heads * config_.d_head;
  const auto shared = [&](const at::Tensor& tensor) { return tensor.unflatten(0, {batch_, config_.kv_heads}); };

  at::Tensor dkv = at::empty({batch_, tokens_, 2, config_.kv_heads, config_.d_head}, gradient.dk.options());
  at::Tensor dk = dkv.select(2, 0).transpose(1, 2);
  lrp::rotate(shared(gradient.dk), lrp::inverse(key_rotation_), dk);
  dkv.select(2, 1).transpose(1, 2).copy_(shared(gradient.dv));
  at::Tensor dnormed = lrp::linear_backward(dkv.flatten(2), weights.qkv.narrow(0, q_width, kv_width));

  at::Tensor dq = at::empty({batch_, gradient.dq.size(1), config_.kv_heads, group_, config_.d_head}, gradient.dq.options());
  at::Tensor dq_by_head = dq.transpose(1, 2);
  lrp::rotate(shared(gradient.dq), lrp::inverse(asking.rotation), dq_by_head);
  add_to_query_rows(dnormed, lrp::linear_backward(dq.flatten(2), weights.qkv.narrow(0, 0, q_width)), asking);
  return dnormed;
}

// `x` is [batch, tokens, d_model]; the result has the queries' rows only.
at::Tensor Pass::forward(int64_t layer, const at::Tensor& x, Tape& tape) const {
  const LayerWeights& weights = model_.layer(layer);
  const lrp::Normed normed = lrp::rms_norm(x, weights.attention_norm, config_.norm_epsilon);
  tape.attention_scale = normed.scale;
  tape.attention = project(layer, normed.y);
  tape.z = lrp::attention(tape.attention);
  const at::Tensor middle =
      lrp::linear(merge_heads(tape.z), weights.attention_out, weights.attention_out_bias).add_(query_rows(x, queries(layer)));

  const lrp::Normed mlp_normed = lrp::rms_norm(middle, weights.mlp_norm, config_.norm_epsilon);
  tape.mlp_scale = mlp_normed.scale;
  const at::Tensor gate_up = lrp::linear(mlp_normed.y, weights.gate_up, weights.gate_up_bias);
  const lrp::Gated gated = plain() ? lrp::gated_silu_plain(gate_up) : lrp::gated_silu(gate_up);
  if (plain()) tape.x = x, tape.middle = middle;
  tape.mlp_factors = gated.factors;
  return lrp::linear(gated.y, weights.mlp_down, weights.mlp_down_bias).add_(middle);
}

// `dx` is the gradient of forward's result; the result that of its argument.
at::Tensor Pass::backward(int64_t layer, const at::Tensor& dx, const Tape& tape) {
  const LayerWeights& weights = model_.layer(layer);
  const at::Tensor dgated = lrp::linear_backward(dx, weights.mlp_down);
  const at::Tensor dmlp = lrp::linear_backward(lrp::gated_silu_backward(dgated, tape.mlp_factors), weights.gate_up);
  const at::Tensor dmiddle = norm_backward(dmlp, weights.mlp_norm, tape.middle, tape.mlp_scale).add_(dx);

  const at::Tensor dz = split_heads(lrp::linear_backward(dmiddle, weights.attention_out)).contiguous();
  head_relevance_[layer] = by_head((tape.z * dz).relu_().sum({1, 3}));
  const lrp::AttentionRule rule = plain() ? lrp::AttentionRule::kPlainGradient : options_.attention;
  const auto gradient = lrp::attention_backward(tape.attention, tape.z, dz, rule, options_.key_relevance);
  if (options_.key_relevance) key_relevance_[layer] = by_head(gradient.keys);

  at::Tensor below = norm_backward(project_backward(layer, gradient), weights.attention_norm, tape.x, tape.attention_scale);
  add_to_query_rows(below, dmiddle, queries(layer));
  return below;
}

BatchRelevance Pass::run(const at::Tensor& targets) {
  const int64_t tape_bytes_a_layer = tape_bytes_a_token(config_, options_.rules) * batch_ * tokens_;
  const int64_t first_kept = config_.layers - std::min(config_.layers, options_.tape_bytes / tape_bytes_a_layer);
  std::vector<Tape> tapes(config_.layers);
  std::vector<at::Tensor> inputs(config_.layers);  // of layers whose tape is not kept

  const at::Tensor embedded =
      model_.embedding().index_select(0, token_ids_.flatten()).to(at::kFloat).unflatten(0, {batch_, tokens_});
  at::Tensor x = embedded;
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    Tape dropped;
    if (layer < first_kept) inputs[layer] = x;
    x = forward(layer, x, layer < first_kept ? dropped : tapes[layer]);
    forward_sums_[layer] = x.sum();
  }
  const lrp::Normed normed = lrp::rms_norm(x, model_.final_norm(), config_.norm_epsilon);
  const at::Tensor readout = model_.unembedding().index_select(0, targets).to(at::kFloat).unsqueeze(1);
  at::Tensor dx = norm_backward(readout, model_.final_norm(), x, normed.scale);
  for (int64_t layer = config_.layers - 1; layer >= 0; --layer) {
    Tape tape = std::exchange(tapes[layer], {});
    if (layer < first_kept) forward(layer, std::exchange(inputs[layer], {}), tape);
    dx = backward(layer, dx, tape);
    backward_sums_[layer] = dx.sum() + head_relevance_[layer].sum();
  }
  require_finite();
  return {.heads = at::stack(head_relevance_),
          .keys = options_.key_relevance ? at::stack(key_relevance_) : at::Tensor(),
          .tokens = (embedded * dx).sum(-1),
          .logits = (normed.y * readout).sum(-1).squeeze(1)};
}

void Pass::require_finite() const {
  const auto finite = [](const std::vector<at::Tensor>& sums) { return at::stack(sums).isfinite().to(at::kCPU).contiguous(); };
  const at::Tensor forward_finite = finite(forward_sums_), backward_finite = finite(backward_sums_);
  const auto refuse = [&](int64_t layer, const char* what) {
    throw Error(Code::kInternal,
                "relevance: layer " + std::to_string(layer) + ": " + what + " is not finite (batch of " + std::to_string(batch_) +
                    ", " + std::to_string(tokens_) + " tokens)",
                "Check the model's weights; with bfloat16 weights, try float32.");
  };
  for (int64_t layer = 0; layer < config_.layers; ++layer)
    if (!forward_finite.data_ptr<bool>()[layer]) refuse(layer, "the residual stream after it");
  for (int64_t layer = config_.layers - 1; layer >= 0; --layer)
    if (!backward_finite.data_ptr<bool>()[layer]) refuse(layer, "its relevance");
}

}  // namespace

int64_t tape_bytes_a_token(const ModelConfig& config, BackwardRules rules) {
  const int64_t attention = (2 * config.heads + 2 * config.kv_heads) * config.d_head;         // q, z, k, v
  const int64_t norms = rules == BackwardRules::kPlainGradient ? 2 * config.d_model + 2 : 2;  // inputs, scales
  return int64_t(sizeof(float)) * (attention + 2 * config.d_mlp + norms);                     // with the MLP's factors
}

BatchRelevance relevance_pass(const engine::Model& model, const at::Tensor& tokens, const at::Tensor& lengths,
                              const at::Tensor& targets, const RelevancePassOptions& options) {
  return Pass(model, tokens, lengths, options).run(targets);
}

}  // namespace openbook::attribution
