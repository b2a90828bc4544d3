#include "needle_scores.h"

#include <algorithm>

#include "batches.h"
#include "openbook/base/words.h"

namespace openbook::attribution {
namespace {

using engine::TokenId;

// The trials of one batch, decoded greedily.
class Fetching {
 public:
  Fetching(const engine::Decoder& decoder, std::vector<const NeedleTrial*> trials, int64_t max_tokens,
           const Cancellation* cancellation)
      : model_(decoder.model()),
        trials_(std::move(trials)),
        max_tokens_(max_tokens),
        texts_(trials_.size()),
        ended_(trials_.size()),
        session_(decoder, prompts(), max_tokens, {.observe = true, .cancellation = cancellation}) {
    const engine::ModelConfig& config = model_.config();
    const auto rows = static_cast<int64_t>(trials_.size());
    const int64_t capacity = *std::max_element(session_.lengths().begin(), session_.lengths().end()) + max_tokens;
    at::Tensor needle = at::zeros({rows, capacity}, at::kFloat), ids = at::full({rows, capacity}, -1, at::kInt);
    for (int64_t row = 0; row < rows; ++row) {
      for (const int64_t token : trials_[row]->needle) needle[row][token] = 1;
      std::copy(trials_[row]->prompt.begin(), trials_[row]->prompt.end(), ids[row].mutable_data_ptr<TokenId>());
    }
    needle_ = needle.to(model_.device());
    ids_ = ids.to(model_.device());
    for (at::Tensor* sum : {&copy_, &write_, &attention_})
      *sum = at::zeros({rows, config.layers * config.heads}, needle_.options());
    steps_ = at::zeros({rows}, needle_.options());
  }

  void run() {
    for (int64_t step = 0; step < max_tokens_; ++step) {
      const std::vector<TokenId> said = session_.choose();
      for (size_t row = 0; row < trials_.size(); ++row) {
        ended_[row] = ended_[row] || model_.tokenizer().is_special(said[row]);
        if (!ended_[row]) texts_[row] += model_.tokenizer().token_bytes(said[row]);
      }
      if (std::all_of(ended_.begin(), ended_.end(), [](bool end) { return end; })) break;
      read(said);
      if (step + 1 < max_tokens_) session_.append(said);
    }
  }

  const std::string& text(size_t row) const { return texts_[row]; }

  // Sums of the three scores over the rows that are kept, [3, layers, heads].
  at::Tensor sums(const std::vector<bool>& kept) const {
    const at::Tensor weight = at::tensor(std::vector<float>(kept.begin(), kept.end())).to(model_.device()).unsqueeze(1);
    const at::Tensor steps = steps_.clamp_min(1).unsqueeze(1);
    const at::Tensor each = at::stack({copy_, write_ / steps, attention_ / steps});
    return (each * weight).sum(1).to(at::kCPU, at::kDouble).view({3, model_.config().layers, model_.config().heads});
  }

 private:
  std::vector<std::vector<TokenId>> prompts() const {
    std::vector<std::vector<TokenId>> tokens;
    for (const NeedleTrial* trial : trials_) tokens.push_back(trial->prompt);
    return tokens;
  }

  // What the position that chose `said` attended to and wrote.
  void read(const std::vector<TokenId>& said) {
    const int64_t keys = *std::max_element(session_.lengths().begin(), session_.lengths().end()), rows = session_.rows();
    std::vector<float> going, says_needle, inverse_size, ratio;
    for (int64_t row = 0; row < rows; ++row) {
      const NeedleTrial& trial = *trials_[row];
      const bool in_needle =
          std::any_of(trial.needle.begin(), trial.needle.end(), [&](int64_t token) { return trial.prompt[token] == said[row]; });
      const auto needle = static_cast<float>(trial.needle.size()), rest = static_cast<float>(session_.lengths()[row]) - needle;
      going.push_back(!ended_[row]);
      says_needle.push_back(!ended_[row] && in_needle);
      inverse_size.push_back(1 / static_cast<float>(std::max<int64_t>(trial.needle_size, 1)));
      ratio.push_back(rest > 0 ? needle / rest : 0);
    }
    const auto column = [&](const std::vector<float>& values) { return at::tensor(values).to(model_.device()).unsqueeze(1); };
    const at::Tensor token = at::tensor(said, at::kInt).to(model_.device());
    const at::Tensor pattern = session_.pattern(session_.observed().queries, session_.observed().positions, keys);

    const at::Tensor best = pattern.argmax(-1);
    const at::Tensor hit = needle_.gather(1, best) * (ids_.gather(1, best) == token.unsqueeze(1));
    copy_ += hit * column(going) * column(inverse_size);

    const at::Tensor weight = column(says_needle), needle = needle_.narrow(1, 0, keys).unsqueeze(1);
    const auto contrast = [&](const at::Tensor& phi) {
      const at::Tensor inside = (phi * needle).sum(-1);
      return (inside - (phi.sum(-1) - inside) * column(ratio)) * weight;
    };
    attention_ += contrast(pattern);
    write_ += contrast(pattern * readings(token, keys));
    steps_ += weight.squeeze(1);
  }

  // u . (W_O^h v_j) of every head and key, [rows, layers * heads, keys].
  at::Tensor readings(const at::Tensor& token, int64_t keys) const {
    const engine::ModelConfig& config = model_.config();
    const int64_t group = config.heads_per_kv_head();
    const at::Tensor u = model_.unembedding().index_select(0, token).to(at::kFloat);
    std::vector<at::Tensor> layers;
    for (int64_t layer = 0; layer < config.layers; ++layer) {
      const at::Tensor wanted =
          at::matmul(u, model_.layer(layer).attention_out.to(at::kFloat)).view({-1, config.kv_heads, group, config.d_head});
      const at::Tensor values = session_.values(layer, keys).to(at::kFloat);
      layers.push_back(at::matmul(wanted, values.transpose(2, 3)).flatten(1, 2));
    }
    return at::cat(layers, 1);
  }

  const engine::Model& model_;
  std::vector<const NeedleTrial*> trials_;
  int64_t max_tokens_;
  std::vector<std::string> texts_;
  std::vector<bool> ended_;
  engine::BatchSession session_;
  at::Tensor needle_, ids_;              // [rows, capacity]
  at::Tensor copy_, write_, attention_;  // [rows, layers * heads]
  at::Tensor steps_;                     // [rows], that said a needle token
};

}  // namespace

NeedleScores needle_scores(const engine::Decoder& decoder, const std::vector<NeedleTrial>& trials, const NeedleOptions& options) {
  const engine::ModelConfig& config = decoder.model().config();
  at::Tensor sums = at::zeros({3, config.layers, config.heads}, at::kDouble);
  std::vector<size_t> lengths;
  for (const NeedleTrial& trial : trials) lengths.push_back(trial.prompt.size());
  NeedleScores scores;
  int64_t done = 0;
  for (const std::vector<size_t>& batch : batches_of(lengths, decoder.model().device())) {
    std::vector<const NeedleTrial*> rows;
    for (const size_t row : batch) rows.push_back(&trials[row]);
    Fetching fetching(decoder, std::move(rows), options.max_tokens, options.cancellation);
    fetching.run();
    std::vector<bool> kept;
    for (size_t i = 0; i < batch.size(); ++i) {
      kept.push_back(!options.keep || options.keep(batch[i], with_valid_utf8(fetching.text(i))));
      scores.trials += kept.back();
    }
    sums += fetching.sums(kept);
    done += static_cast<int64_t>(batch.size());
    if (options.progress) options.progress(done);
  }
  const at::Tensor means = sums / static_cast<double>(std::max<int64_t>(scores.trials, 1));
  scores.copy = means[0];
  scores.write = means[1];
  scores.attention = means[2];
  return scores;
}

}  // namespace openbook::attribution
