#include "openbook/engine/batch_session.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "decoder/ops.h"
#include "decoder/torch_errors.h"
#include "openbook/base/error.h"

namespace openbook::engine {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

[[noreturn]] void refuse(const std::string& what) { throw Error(Code::kInvalidArgument, "batch session: " + what); }

// Layers where some value of [rows, layers, ...] is not `neutral`.
std::vector<bool> edited_layers(const at::Tensor& values, double neutral, int64_t layers) {
  std::vector<bool> edited(layers);
  if (!values.defined()) return edited;
  const at::Tensor any = values.ne(neutral).transpose(0, 1).flatten(1).any(1).cpu();
  for (int64_t layer = 0; layer < layers; ++layer) edited[layer] = any[layer].item<bool>();
  return edited;
}

void require_rows(const at::Tensor& values, at::IntArrayRef rest, int64_t rows, const at::Device& device, const char* name) {
  if (!values.defined()) return;
  if (values.dim() != int64_t(rest.size()) + 1 || (values.size(0) != 1 && values.size(0) != rows) ||
      values.sizes().slice(1) != rest || values.device() != device)
    refuse(std::string(name) + " have another shape or device than the model");
}

}  // namespace

struct BatchSession::Step {
  int64_t tokens;        // a row; of a shorter prompt the last ones are padding
  at::Tensor ids;        // int [rows * tokens]
  at::Tensor positions;  // int64 [rows, tokens]
  at::Tensor last;       // int64 [rows], index of each row's last real token
  int64_t keys;          // positions that the cache holds after the step, padding included
  at::Tensor mask;       // [rows, 1, 1, keys], 0 or -inf, of a decoded token; undefined for the prompts
  at::Tensor cos, sin;   // [rows * tokens, d_head]
};

BatchSession::BatchSession(const Decoder& decoder, const std::vector<std::vector<TokenId>>& prompts, int64_t room,
                           BatchOptions options)
    : decoder_(&decoder), options_(std::move(options)) {
  const Model& model = decoder.model();
  const ModelConfig& config = model.config();
  const auto rows = static_cast<int64_t>(prompts.size());
  if (prompts.empty()) refuse("no prompts");
  int64_t longest = 0;
  for (const auto& prompt : prompts) {
    if (prompt.empty()) refuse("a prompt has no tokens");
    for (const TokenId id : prompt)
      if (id < 0 || id >= config.vocabulary) refuse("token id " + std::to_string(id) + " is outside the vocabulary");
    prompt_lengths_.push_back(static_cast<int64_t>(prompt.size()));
    last_of_prompts_.push_back(prompt.back());
    longest = std::max(longest, prompt_lengths_.back());
  }
  const int64_t capacity = longest + std::max<int64_t>(room, 0);
  if (capacity > config.max_positions)
    throw Error(Code::kOutOfRange,
                "batch session: " + std::to_string(capacity) + " positions are more than the model's " +
                    std::to_string(config.max_positions),
                "Use fewer or shorter passages.");

  lengths_.assign(prompts.size(), 0);
  take_edits(std::move(options_.edits), capacity);
  translating_torch_errors("batch session", [&] {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    const auto floats = at::TensorOptions(at::kFloat).device(model.device());
    const std::vector<int64_t> shape = {config.layers, rows, config.kv_heads, capacity, config.d_head};
    keys_ = at::zeros(shape, floats.dtype(model.dtype()));
    values_ = at::zeros(shape, floats.dtype(model.dtype()));
    if (options_.observe) {
      observed_.z = at::empty({rows, config.layers, config.heads, config.d_head}, floats);
      observed_.queries = at::empty_like(observed_.z);
      observed_.resid_mid = at::empty({rows, config.layers, config.d_model}, floats);
      observed_.resid_post = at::empty_like(observed_.resid_mid);
    }
    at::Tensor ids = at::zeros({rows, longest}, at::kInt);
    for (int64_t row = 0; row < rows; ++row)
      std::copy(prompts[row].begin(), prompts[row].end(), ids[row].mutable_data_ptr<TokenId>());
    Step step{.tokens = longest, .ids = ids.flatten().to(model.device()), .keys = longest};
    step.positions = at::arange(longest, floats.dtype(at::kLong)).expand({rows, longest});
    step.last = at::tensor(prompt_lengths_, at::kLong).to(model.device()) - 1;
    step.cos = model.rope_cos().narrow(0, 0, longest).repeat({rows, 1});
    step.sin = model.rope_sin().narrow(0, 0, longest).repeat({rows, 1});
    run(step);
  });
}

void BatchSession::take_edits(BatchEdits edits, int64_t capacity) {
  const Model& model = decoder_->model();
  const ModelConfig& config = model.config();
  require_rows(edits.gains, {config.layers, config.heads}, rows(), model.device(), "gains");
  require_rows(edits.biases, {config.layers, config.heads}, rows(), model.device(), "biases");
  require_rows(edits.values, {config.layers, config.heads, config.d_head}, rows(), model.device(), "values");
  require_rows(edits.sharpen, {}, rows(), model.device(), "sharpening factors");
  if (edits.from.empty()) edits.from.assign(rows(), 0);
  if (edits.positions.empty()) edits.positions.assign(rows(), config.max_positions);
  if (static_cast<int64_t>(edits.from.size()) != rows() || static_cast<int64_t>(edits.positions.size()) != rows())
    refuse("edits of another number of rows");
  if (edits.biases.defined() && static_cast<int64_t>(edits.biased_keys.size()) != rows())
    refuse("biased keys of another number of rows");
  first_edited_ = *std::min_element(edits.from.begin(), edits.from.end());
  score_edits_ = edited_layers(edits.biases, 0, config.layers);
  z_edits_ = edited_layers(edits.gains, 1, config.layers);
  const std::vector<bool> moved = edited_layers(edits.values, 0, config.layers);
  for (int64_t layer = 0; layer < config.layers; ++layer) z_edits_[layer] = z_edits_[layer] || moved[layer];

  from_ = at::tensor(edits.from, at::kLong).to(model.device());
  until_ = from_ + at::tensor(edits.positions, at::kLong).to(model.device());
  at::Tensor biased = at::zeros({rows(), capacity}, at::kFloat);
  for (int64_t row = 0; edits.biases.defined() && row < rows(); ++row)
    for (const TokenRange& range : edits.biased_keys[row]) biased[row].narrow(0, range.begin, range.size()).fill_(1);
  biased_ = biased.to(model.device());
  options_.edits = std::move(edits);
}

void BatchSession::restart(BatchEdits edits) {
  if (edits.from.empty()) {
    for (const int64_t length : prompt_lengths_) edits.from.push_back(length - 1);
  }
  for (int64_t row = 0; row < rows() && edits.from.size() == prompt_lengths_.size(); ++row)
    if (edits.from[row] < prompt_lengths_[row] - 1)
      refuse("an edit acts from position " + std::to_string(edits.from[row]) + " on, before the last token of its prompt of " +
             std::to_string(prompt_lengths_[row]));
  take_edits(std::move(edits), keys_.size(3));
  for (int64_t row = 0; row < rows(); ++row) lengths_[row] = prompt_lengths_[row] - 1;
  append(last_of_prompts_);
}

void BatchSession::append(const std::vector<TokenId>& tokens) {
  const Model& model = decoder_->model();
  if (static_cast<int64_t>(tokens.size()) != rows()) refuse("append takes one token a row");
  for (const TokenId id : tokens)
    if (id < 0 || id >= model.config().vocabulary) refuse("token id " + std::to_string(id) + " is outside the vocabulary");
  const int64_t keys = *std::max_element(lengths_.begin(), lengths_.end()) + 1;
  if (keys > keys_.size(3))
    throw Error(Code::kOutOfRange, "batch session: the room for appended tokens is used up", "Make the session with more room.");
  translating_torch_errors("batch session", [&] {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    Step step{.tokens = 1, .ids = at::tensor(tokens, at::kInt).to(model.device()), .keys = keys};
    step.positions = at::tensor(lengths_, at::kLong).to(model.device()).unsqueeze(1);
    step.last = at::zeros({rows()}, step.positions.options());
    const at::Tensor unseen = at::arange(keys, step.positions.options()).unsqueeze(0) > step.positions;
    step.mask = at::zeros({rows(), keys}, keys_.options()).masked_fill_(unseen, kNever).view({rows(), 1, 1, keys});
    step.cos = model.rope_cos().index_select(0, step.positions.flatten());
    step.sin = model.rope_sin().index_select(0, step.positions.flatten());
    run(step);
  });
}

std::vector<TokenId> BatchSession::choose() const {
  const at::Tensor best = logits_.argmax(-1).to(at::kCPU, at::kInt);
  return {best.data_ptr<TokenId>(), best.data_ptr<TokenId>() + best.numel()};
}

at::Tensor BatchSession::last_of(const Step& step, const at::Tensor& by_token) const {
  if (step.tokens == 1) return by_token;
  return by_token.index_select(0, at::arange(rows(), step.last.options()) * step.tokens + step.last);
}

void BatchSession::run(const Step& step) {
  const Model& model = decoder_->model();
  const ModelConfig& config = model.config();
  at::Tensor resid = model.embedding().index_select(0, step.ids);
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    if (options_.cancellation != nullptr) options_.cancellation->check();
    const LayerWeights& weights = model.layer(layer);
    const at::Tensor qkv = normed_linear(resid, weights.attention_norm, config.norm_epsilon, weights.qkv, weights.qkv_bias);
    rotate(qkv.view({rows() * step.tokens, config.heads + 2 * config.kv_heads, config.d_head}), config.heads + config.kv_heads,
           step.cos, step.sin);
    at::Tensor z = attend(step, layer, qkv);
    edit_z(step, layer, z);
    add_linear(resid, z, weights.attention_out, weights.attention_out_bias);
    if (options_.observe) {
      observed_.z.select(1, layer).copy_(last_of(step, z).unflatten(1, {config.heads, config.d_head}));
      observed_.queries.select(1, layer).copy_(
          last_of(step, qkv).narrow(1, 0, config.heads * config.d_head).unflatten(1, {config.heads, config.d_head}));
      observed_.resid_mid.select(1, layer).copy_(last_of(step, resid));
    }
    add_mlp(resid, weights, config.norm_epsilon);
    if (options_.observe) observed_.resid_post.select(1, layer).copy_(last_of(step, resid));
  }
  if (options_.keep_prompt_states && !prompt_states_.defined())
    prompt_states_ = resid.view({rows(), step.tokens, config.d_model}).to(at::kFloat);
  logits_ = unembed(last_of(step, resid), model.final_norm(), config.norm_epsilon, model.unembedding());
  for (int64_t row = 0; row < rows(); ++row) lengths_[row] += step.mask.defined() ? 1 : prompt_lengths_[row];
  if (!options_.observe) return;
  observed_.positions = lengths_;
  for (int64_t& position : observed_.positions) --position;
}

at::Tensor BatchSession::attend(const Step& step, int64_t layer, const at::Tensor& qkv) {
  const ModelConfig& config = decoder_->model().config();
  const int64_t group = config.heads_per_kv_head(), tokens = step.tokens;
  const at::Tensor by_head = qkv.view({rows(), tokens, config.heads + 2 * config.kv_heads, config.d_head});
  const auto cached = [&](at::Tensor& all, int64_t first) {
    const at::Tensor heads = by_head.narrow(2, first, config.kv_heads).transpose(1, 2);  // [rows, kv_heads, tokens, d_head]
    at::Tensor cache = all[layer];
    if (!step.mask.defined())
      cache.narrow(2, 0, tokens).copy_(heads);
    else
      cache.scatter_(2, step.positions.view({rows(), 1, 1, 1}).expand(heads.sizes()), heads);
    return cache.narrow(2, 0, step.keys);
  };
  const at::Tensor keys = cached(keys_, config.heads), values = cached(values_, config.heads + config.kv_heads);
  const at::Tensor queries = by_head.narrow(2, 0, config.heads).view({rows(), tokens, config.kv_heads, group, config.d_head});
  if (step.mask.defined()) {
    if (score_edits_[layer]) return attend_edited(step, layer, queries, 0).flatten(0, 1);
    const at::Tensor z = at::scaled_dot_product_attention(queries.squeeze(1), keys, values,
                                                          step.mask.expand({rows(), config.kv_heads, group, step.keys}));
    return z.reshape({rows(), config.heads * config.d_head});
  }
  const at::Tensor q = queries.permute({0, 2, 3, 1, 4}).flatten(0, 1);  // [rows * kv_heads, group, tokens, d_head]
  const auto shared = [&](const at::Tensor& each) { return each.flatten(0, 1).unsqueeze(1).expand(q.sizes()); };
  at::Tensor z = at::scaled_dot_product_attention(q, shared(keys), shared(values), std::nullopt, 0.0, /*is_causal=*/true)
                     .unflatten(0, {rows(), config.kv_heads})
                     .permute({0, 3, 1, 2, 4})
                     .reshape({rows(), tokens, config.heads * config.d_head});
  if (score_edits_[layer] && first_edited_ < tokens)
    z.narrow(1, first_edited_, tokens - first_edited_)
        .copy_(attend_edited(step, layer, queries.narrow(1, first_edited_, tokens - first_edited_), first_edited_));
  return z.flatten(0, 1);
}

// With the scores written out: queries [rows, tokens, kv_heads, group, d_head] from the step's token `first` on; z
// [rows, tokens, heads * d_head].
at::Tensor BatchSession::attend_edited(const Step& step, int64_t layer, const at::Tensor& queries, int64_t first) const {
  const ModelConfig& config = decoder_->model().config();
  const int64_t group = config.heads_per_kv_head(), tokens = queries.size(1), keys = step.keys;
  const at::Tensor positions = step.positions.narrow(1, first, tokens);
  const at::Tensor q = queries.permute({0, 2, 3, 1, 4}).reshape({rows() * config.kv_heads, group * tokens, config.d_head});
  const at::Tensor k = keys_[layer].narrow(2, 0, keys).reshape({rows() * config.kv_heads, keys, config.d_head});
  at::Tensor scores = at::bmm(q, k.transpose(1, 2))
                          .to(at::kFloat)
                          .mul_(1 / std::sqrt(double(config.d_head)))
                          .view({rows(), config.kv_heads, group, tokens, keys});
  const at::Tensor bias = options_.edits.biases.select(1, layer).view({-1, config.kv_heads, group, 1, 1});
  const at::Tensor edited = acts(positions).to(at::kFloat).view({rows(), 1, 1, tokens, 1});
  const at::Tensor chosen = biased_.narrow(1, 0, keys).view({rows(), 1, 1, 1, keys}) * edited;
  scores.add_(bias * chosen);
  if (options_.edits.sharpen.defined()) {
    const at::Tensor sharpened = (bias != 0).logical_and(chosen > 0).logical_and(scores > 0);
    scores = at::where(sharpened, scores * options_.edits.sharpen.view({-1, 1, 1, 1, 1}), scores);
  }
  const at::Tensor unseen = at::arange(keys, positions.options()).view({1, 1, keys}) > positions.unsqueeze(2);
  scores.masked_fill_(unseen.view({rows(), 1, 1, tokens, keys}), kNever);
  const at::Tensor pattern =
      at::softmax(scores, -1).to(keys_.scalar_type()).view({rows() * config.kv_heads, group * tokens, keys});
  return at::bmm(pattern, values_[layer].narrow(2, 0, keys).reshape({rows() * config.kv_heads, keys, config.d_head}))
      .view({rows(), config.kv_heads, group, tokens, config.d_head})
      .permute({0, 3, 1, 2, 4})
      .reshape({rows(), tokens, config.heads * config.d_head});
}

at::Tensor BatchSession::acts(const at::Tensor& positions) const {
  return positions.ge(from_.unsqueeze(1)).logical_and(positions.lt(until_.unsqueeze(1)));
}

void BatchSession::edit_z(const Step& step, int64_t layer, at::Tensor& z) const {
  if (!z_edits_[layer]) return;
  const ModelConfig& config = decoder_->model().config();
  const BatchEdits& edits = options_.edits;
  at::Tensor by_head = z.view({rows(), step.tokens, config.heads, config.d_head});
  const at::Tensor here = acts(step.positions).view({rows(), step.tokens, 1, 1});
  at::Tensor edited = by_head;
  if (edits.gains.defined()) edited = edited * edits.gains.select(1, layer).view({-1, 1, config.heads, 1}).to(z.scalar_type());
  if (edits.values.defined())
    edited = edited + edits.values.select(1, layer).view({-1, 1, config.heads, config.d_head}).to(z.scalar_type());
  by_head.copy_(at::where(here, edited, by_head));
}

at::Tensor BatchSession::pattern(const at::Tensor& queries, const std::vector<int64_t>& positions, int64_t keys) const {
  return translating_torch_errors("batch session", [&] {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    const ModelConfig& config = decoder_->model().config();
    const int64_t group = config.heads_per_kv_head();
    const int64_t seen = *std::max_element(positions.begin(), positions.end()) + 1, width = std::min(keys, seen);
    const at::Tensor at_positions = at::tensor(positions, at::kLong).to(queries.device()).unsqueeze(1);
    const at::Tensor unseen = at::arange(seen, at_positions.options()).unsqueeze(0) > at_positions;  // [rows, seen]
    at::Tensor pattern = at::zeros({rows(), config.layers, config.heads, keys}, queries.options());
    for (int64_t layer = 0; layer < config.layers; ++layer) {
      const at::Tensor q = queries.select(1, layer).reshape({rows() * config.kv_heads, group, config.d_head});
      const at::Tensor k =
          keys_[layer].narrow(2, 0, seen).reshape({rows() * config.kv_heads, seen, config.d_head}).to(at::kFloat);
      at::Tensor scores =
          at::bmm(q, k.transpose(1, 2)).mul_(1 / std::sqrt(double(config.d_head))).view({rows(), config.heads, seen});
      scores.masked_fill_(unseen.unsqueeze(1), kNever);
      pattern.select(1, layer).narrow(2, 0, width).copy_(at::softmax(scores, -1).narrow(2, 0, width));
    }
    return pattern.flatten(1, 2);
  });
}

}  // namespace openbook::engine
