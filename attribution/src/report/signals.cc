#include "report/signals.h"

#include <algorithm>
#include <cmath>

namespace openbook::attribution {
namespace {

constexpr double kAttended = 0.1;  // part of the prompt whose states ECS averages

std::vector<float> row_of(const at::Tensor& values, int64_t row) {
  const at::Tensor one = values[row].contiguous();
  return {one.data_ptr<float>(), one.data_ptr<float>() + one.numel()};
}

// [rows, positions], 1 for positions in `range(row)`.
template <typename Range>
at::Tensor inside(const AnswerMoment& moment, int64_t positions, Range range) {
  at::Tensor mask = at::zeros({static_cast<int64_t>(moment.rows.size()), positions}, at::kFloat);
  for (size_t row = 0; row < moment.rows.size(); ++row) {
    const TokenRange wanted = range(row);
    if (wanted.begin < wanted.end) mask[static_cast<int64_t>(row)].narrow(0, wanted.begin, wanted.end - wanted.begin).fill_(1);
  }
  return mask.to(moment.queries.device());
}

at::Tensor normed(const engine::Model& model, const at::Tensor& x) {
  return x * (x.square().mean(-1, true) + model.config().norm_epsilon).rsqrt() * model.final_norm().to(at::kFloat);
}

at::Tensor mean_under(const at::Tensor& pattern, const at::Tensor& mask) {
  return (pattern * mask.unsqueeze(1)).sum(-1) / mask.sum(-1, true).clamp_min(1);
}

// u^T W_O^h v_j for every head and position of a layer: [rows, heads, positions].
at::Tensor written(const engine::Model& model, const AnswerMoment& moment, const at::Tensor& readout, int64_t layer,
                   int64_t positions) {
  const engine::ModelConfig& config = model.config();
  const auto rows = static_cast<int64_t>(moment.rows.size());
  const at::Tensor direction = at::matmul(readout, model.layer(layer).attention_out.to(at::kFloat))
                                   .view({rows, config.kv_heads, config.heads_per_kv_head(), config.d_head});
  return at::matmul(direction, moment.batch->values(layer, positions).to(at::kFloat).transpose(-1, -2)).flatten(1, 2);
}

at::Tensor external_scores(const engine::Model& model, const AnswerMoment& moment, const at::Tensor& pattern) {
  const engine::ModelConfig& config = model.config();
  const at::Tensor states = normed(model, moment.batch->prompt_states());  // [rows, longest prompt, d_model]
  const at::Tensor own = normed(model, moment.resid_post.select(1, config.layers - 1));
  const int64_t prompt = states.size(1);
  const at::Tensor in_prompt = inside(moment, prompt, [&](size_t row) {
    return TokenRange{0, static_cast<int64_t>(moment.rows[row]->prompt.tokens.size())};
  });
  std::vector<at::Tensor> by_layer;
  for (int64_t layer = 0; layer < config.layers; ++layer)
    by_layer.push_back(
        external_context(pattern.narrow(1, layer * config.heads, config.heads).narrow(2, 0, prompt), in_prompt, states, own));
  return at::cat(by_layer, 1);
}

// [rows, layers]
at::Tensor parametric_scores(const engine::Model& model, const AnswerMoment& moment) {
  const auto distribution = [&](const at::Tensor& resid) {
    return at::log_softmax(at::matmul(normed(model, resid), model.unembedding().to(at::kFloat).t()), -1);
  };
  std::vector<at::Tensor> by_layer;
  for (int64_t layer = 0; layer < model.config().layers; ++layer) {
    by_layer.push_back(
        jensen_shannon(distribution(moment.resid_mid.select(1, layer)), distribution(moment.resid_post.select(1, layer))));
  }
  return at::stack(by_layer, 1);
}

}  // namespace

at::Tensor lookback_ratio(const at::Tensor& pattern, const at::Tensor& passages, const at::Tensor& later) {
  const at::Tensor on_passages = mean_under(pattern, passages), on_later = mean_under(pattern, later);
  return on_passages / (on_passages + on_later).clamp_min(1e-12);
}

at::Tensor copy_score(const at::Tensor& pattern, const at::Tensor& holds_token) {
  return holds_token.unsqueeze(1).expand_as(pattern).gather(2, pattern.argmax(-1, true)).squeeze(2);
}

at::Tensor write_score(const at::Tensor& written, const at::Tensor& passages, const at::Tensor& elsewhere) {
  const at::Tensor ratio = passages.sum(-1, true) / elsewhere.sum(-1, true).clamp_min(1);
  return (written * passages.unsqueeze(1)).sum(-1) - ratio * (written * elsewhere.unsqueeze(1)).sum(-1);
}

at::Tensor external_context(const at::Tensor& pattern, const at::Tensor& in_prompt, const at::Tensor& states,
                            const at::Tensor& own) {
  const at::Tensor count = (in_prompt.sum(-1) * kAttended).floor().clamp_min(1);  // [rows]
  const int64_t most = static_cast<int64_t>(count.max().item<float>());
  const at::Tensor best = std::get<1>((pattern * in_prompt.unsqueeze(1)).topk(most, -1));  // [rows, heads, most]
  const at::Tensor taken = (at::arange(most, count.options()) < count.unsqueeze(1)).to(pattern.scalar_type());
  const at::Tensor chosen = at::zeros_like(pattern).scatter_(2, best, taken.unsqueeze(1).expand_as(best));
  return at::cosine_similarity(at::matmul(chosen, states), own.unsqueeze(1), -1);  // a mean's length plays no part
}

at::Tensor jensen_shannon(const at::Tensor& log_p, const at::Tensor& log_q) {
  const at::Tensor middle = at::logaddexp(log_p, log_q) - std::log(2.0);
  return ((log_p.exp() * (log_p - middle)).sum(-1) + (log_q.exp() * (log_q - middle)).sum(-1)) / 2;
}

std::vector<AnswerSignals> read_signals(const engine::Model& model, const AnswerMoment& moment) {
  const at::AutoDispatchBelowADInplaceOrView below_autograd;
  const engine::ModelConfig& config = model.config();
  const int64_t positions = *std::max_element(moment.positions.begin(), moment.positions.end()) + 1;
  const at::Tensor pattern =
      moment.batch->pattern(moment.queries, moment.positions, positions);  // [rows, layers * heads, positions]
  const auto passages_of = [&](size_t row) { return moment.rows[row]->prompt.all_passages; };
  const at::Tensor passages = inside(moment, positions, passages_of);
  const at::Tensor seen = inside(moment, positions, [&](size_t row) { return TokenRange{0, moment.positions[row] + 1}; });
  const at::Tensor later = inside(moment, positions, [&](size_t row) {
    return TokenRange{passages_of(row).end, moment.positions[row] + 1};
  });

  std::vector<engine::TokenId> answers;
  at::Tensor holds_answer = at::zeros({static_cast<int64_t>(moment.rows.size()), positions}, at::kFloat);
  for (size_t row = 0; row < moment.rows.size(); ++row) {
    const ObservedCase& observed = *moment.rows[row];
    answers.push_back(observed.given == GivenAnswer::kNeither ? 0 : observed.said[observed.answer.begin]);
    const TokenRange range = passages_of(row);
    for (int64_t i = range.begin; i < range.end; ++i)
      if (observed.prompt.tokens[i] == answers.back()) holds_answer[static_cast<int64_t>(row)][i] = 1;
  }
  const at::Tensor ids = at::tensor(answers, at::kInt).to(pattern.device());
  const at::Tensor readout = model.unembedding().index_select(0, ids).to(at::kFloat);

  const at::Tensor mass = (pattern * passages.unsqueeze(1)).sum(-1);
  std::vector<at::Tensor> write;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const at::Tensor phi =
        pattern.narrow(1, layer * config.heads, config.heads) * written(model, moment, readout, layer, positions);
    write.push_back(write_score(phi, passages, seen - passages));
  }
  const at::Tensor all[] = {mass.cpu(),
                            lookback_ratio(pattern, passages, later).cpu(),
                            copy_score(pattern, holds_answer.to(pattern.device())).cpu(),
                            at::cat(write, 1).cpu(),
                            external_scores(model, moment, pattern).cpu(),
                            parametric_scores(model, moment).cpu()};

  std::vector<AnswerSignals> signals(moment.rows.size());
  for (size_t row = 0; row < moment.rows.size(); ++row) {
    const auto index = static_cast<int64_t>(row);
    signals[row].parametric = row_of(all[5], index);
    if (passages_of(row).empty() || moment.rows[row]->given == GivenAnswer::kNeither) continue;
    signals[row].mass = row_of(all[0], index);
    signals[row].lookback = row_of(all[1], index);
    signals[row].copy = row_of(all[2], index);
    signals[row].write = row_of(all[3], index);
    signals[row].external = row_of(all[4], index);
  }
  return signals;
}

}  // namespace openbook::attribution
