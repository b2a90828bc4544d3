#include "case_runner.h"

#include <algorithm>

#include "batch_evidence.h"
#include "batches.h"
#include "openbook/attribution/spelling.h"
#include "openbook/base/words.h"
#include "openbook/engine/chat_template.h"

namespace openbook::attribution {
namespace {

std::vector<std::string> memory_answers(const ContrastCase& made) {
  std::vector<std::string> answers = {made.memory_answer};
  answers.insert(answers.end(), made.memory_aliases.begin(), made.memory_aliases.end());
  return answers;
}

std::vector<std::string> spellings(const ContrastCase& made, GivenAnswer given) {
  return given == GivenAnswer::kDocument ? std::vector{made.document_answer} : memory_answers(made);
}

// Bytes of the given answer in `text`; nothing when it is spelt with an article that the match ignores.
std::optional<ByteSpan> place_of_answer(const std::string& text, const ContrastCase& made, GivenAnswer given) {
  if (given == GivenAnswer::kNeither) return std::nullopt;
  std::optional<ByteSpan> first;
  for (const std::string& answer : spellings(made, given))
    for (const ByteSpan& place : find_words(text, answer))
      if (!first || place.begin < first->begin) first = place;
  return first;
}

// Tokens that hold `bytes`.
TokenRange tokens_of(ByteSpan bytes, const std::vector<ByteSpan>& token_bytes) {
  TokenRange range{-1, -1};
  for (size_t i = 0; i < token_bytes.size(); ++i) {
    if (!token_bytes[i].overlaps(bytes)) continue;
    if (range.begin < 0) range.begin = static_cast<int64_t>(i);
    range.end = static_cast<int64_t>(i) + 1;
  }
  return range;
}

// The case with what the given answer came from replaced in every passage; the replacement takes the document answer's place in
// the match, the given answer the memory answer's. Nothing when no passage holds any of it.
std::optional<ContrastCase> with_source_replaced(const ObservedCase& observed) {
  const std::vector<std::string> sources = held_of(spellings(observed.made, observed.given), observed.made.passages);
  if (sources.empty()) return std::nullopt;
  ContrastCase replaced = observed.made;
  for (Passage& passage : replaced.passages) {
    for (const std::string& source : sources) passage.text = replace_words(passage.text, source, replaced.replacement);
    passage.range = {0, static_cast<int64_t>(passage.text.size())};
  }
  replaced.document_answer = replaced.replacement;
  if (observed.given == GivenAnswer::kDocument) {
    replaced.memory_answer = observed.made.document_answer;
    replaced.memory_aliases.clear();
  }
  return replaced;
}

}  // namespace

std::vector<std::string> held_of(std::vector<std::string> spellings, const std::vector<Passage>& passages) {
  const auto missing = [&](const std::string& words) {
    return std::none_of(passages.begin(), passages.end(),
                        [&](const Passage& passage) { return holds_words(passage.text, words); });
  };
  if (std::all_of(spellings.begin(), spellings.end(), missing))
    for (std::string& spelling : spellings) {
      const std::vector<std::string> words = answer_words(spelling);
      spelling = words.empty() ? "" : words.front();
    }
  std::erase_if(spellings, missing);
  return spellings;
}

std::vector<engine::HeadId> all_heads(const engine::ModelConfig& config) {
  std::vector<engine::HeadId> heads;
  for (int32_t layer = 0; layer < config.layers; ++layer)
    for (int32_t head = 0; head < config.heads; ++head) heads.push_back({layer, head});
  return heads;
}

namespace {

// Indices into prompt.all_passages of the tokens whose source overlaps one of `part(place)`, place running over the occurrences
// of `words`.
template <typename Part>
std::vector<int64_t> tokens_at(const engine::Prompt& prompt, const std::string& words, Part part) {
  std::vector<int64_t> tokens;
  for (size_t p = 0; p < prompt.passages.size(); ++p) {
    const Passage& passage = prompt.passages[p];
    for (const ByteSpan& place : find_words(passage.text, words)) {
      const ByteSpan wanted = part(ByteSpan{passage.range.begin + place.begin, passage.range.begin + place.end});
      for (int64_t i = prompt.all_passages.begin; i < prompt.all_passages.end; ++i)
        if (prompt.sources[i].passage == static_cast<int32_t>(p) && prompt.sources[i].range.overlaps(wanted))
          tokens.push_back(i - prompt.all_passages.begin);
    }
  }
  return tokens;
}

}  // namespace

std::vector<int64_t> tokens_of(const engine::Prompt& prompt, const std::string& words) {
  return tokens_at(prompt, words, [](ByteSpan place) { return place; });
}

std::vector<int64_t> first_tokens_of(const engine::Prompt& prompt, const std::string& words) {
  return tokens_at(prompt, words, [](ByteSpan place) { return ByteSpan{place.begin, place.begin + 1}; });
}

CaseRunner::CaseRunner(const engine::Decoder& decoder)
    : decoder_(&decoder), prompts_(decoder.model().tokenizer(), engine::read_chat_template(decoder.model().folder())) {}

std::vector<std::string> CaseRunner::say(const std::vector<std::string>& questions, const RunOptions& options) const {
  std::vector<std::vector<engine::TokenId>> prompts;
  for (const std::string& question : questions) prompts.push_back(prompts_.build({.question = question}).tokens);
  return say_all(*decoder_, prompts,
                 {.max_tokens = options.max_tokens, .progress = options.progress, .cancellation = options.cancellation});
}

std::vector<std::optional<bool>> CaseRunner::copied(const std::vector<const ObservedCase*>& cases,
                                                    const RunOptions& options) const {
  std::vector<std::optional<bool>> labels(cases.size());
  std::vector<size_t> asked;  // cases whose label needs a second run
  std::vector<ContrastCase> replaced;
  for (size_t i = 0; i < cases.size(); ++i) {
    if (cases[i]->given == GivenAnswer::kNeither) continue;
    if (auto made = with_source_replaced(*cases[i])) {
      asked.push_back(i);
      replaced.push_back(std::move(*made));
    } else {
      labels[i] = false;
    }
  }
  const std::vector<ObservedCase> again = answer(std::move(replaced), options);
  for (size_t i = 0; i < asked.size(); ++i)
    if (again[i].given != GivenAnswer::kNeither) labels[asked[i]] = again[i].given == GivenAnswer::kDocument;
  return labels;
}

engine::Prompt CaseRunner::prompt_of(const ContrastCase& made, int64_t max_tokens) const {
  engine::PromptRequest request;
  request.passages = made.passages;
  request.question = made.question;
  request.style = made.setting == Setting::kBare ? engine::PromptStyle::kBare : engine::PromptStyle::kChat;
  return prompts_.build(request, decoder_->model().config().max_positions - max_tokens);
}

// The rows of one session: greedy until each has given an answer.
class CaseRunner::Batch {
 public:
  Batch(const engine::Decoder& decoder, std::vector<ObservedCase*> rows, bool observe, const RunOptions& options)
      : model_(decoder.model()),
        rows_(std::move(rows)),
        observe_(observe),
        max_tokens_(options.max_tokens),
        at_answer_(options.at_answer),
        texts_(rows_.size()),
        token_bytes_(rows_.size()),
        ended_(rows_.size()),
        session_(decoder, prompts(), max_tokens_,
                 {.observe = observe,
                  .keep_prompt_states = static_cast<bool>(options.at_answer),
                  .edits = options.dose ? edits(*options.dose) : engine::BatchEdits{},
                  .cancellation = options.cancellation}) {}

  void run(const BatchEvidence* evidence) {
    for (int64_t step = 0; step < max_tokens_; ++step) {
      const std::vector<engine::TokenId> said = session_.choose();
      for (size_t row = 0; row < rows_.size(); ++row)
        if (!ended_[row]) take(row, said[row]);
      if (std::all_of(ended_.begin(), ended_.end(), [](bool end) { return end; })) break;
      if (observe_) {
        evidence_.push_back(evidence->read(session_.observed(), said));
        queries_.push_back(session_.observed().queries.clone());
        if (at_answer_)
          moments_.push_back(
              {session_.observed().z.clone(), session_.observed().resid_mid.clone(), session_.observed().resid_post.clone()});
      }
      if (step + 1 < max_tokens_) session_.append(said);
    }
    for (size_t row = 0; row < rows_.size(); ++row) find_answer(row);
    if (observe_) read_patterns();
  }

 private:
  std::vector<std::vector<engine::TokenId>> prompts() const {
    std::vector<std::vector<engine::TokenId>> tokens;
    for (const ObservedCase* row : rows_) tokens.push_back(row->prompt.tokens);
    return tokens;
  }

  engine::BatchEdits edits(const SteeringDose& dose) const {
    engine::HeadEdits of_model(model_);
    dose.put_in_force(0, {{1, 2}}, of_model);  // the batch has keys of its own, row by row
    engine::BatchEdits edits{.gains = of_model.gains().unsqueeze(0), .biases = of_model.biases().unsqueeze(0)};
    for (const ObservedCase* row : rows_) {
      edits.from.push_back(row->prompt.first_after_passages());
      edits.biased_keys.push_back(row->prompt.passage_tokens);
      for (TokenRange& keys : edits.biased_keys.back())
        keys.begin = std::max<int64_t>(keys.begin, 1);  // the first token is a sink
    }
    return edits;
  }

  bool answered(const ContrastCase& made, const std::string& text) const {
    return given_answer(with_valid_utf8(text), made.document_answer, memory_answers(made)) != GivenAnswer::kNeither;
  }

  void take(size_t row, engine::TokenId token) {
    ObservedCase& observed = *rows_[row];
    std::string& text = texts_[row];
    const std::string bytes = model_.tokenizer().token_bytes(token);
    // One token past the answer, so that a word is never judged by its beginning.
    ended_[row] =
        model_.tokenizer().is_special(token) || (answered(observed.made, text) && answered(observed.made, text + bytes));
    if (ended_[row]) return;
    token_bytes_[row].push_back({static_cast<int64_t>(text.size()), static_cast<int64_t>(text.size() + bytes.size())});
    text += bytes;
    observed.said.push_back(token);
  }

  void find_answer(size_t row) {
    ObservedCase& observed = *rows_[row];
    const std::string text = with_valid_utf8(texts_[row]);
    observed.given = given_answer(text, observed.made.document_answer, memory_answers(observed.made));
    const auto place = place_of_answer(text, observed.made, observed.given);
    if (!place) {
      observed.given = GivenAnswer::kNeither;
      return;
    }
    observed.answer = tokens_of(*place, token_bytes_[row]);
    for (int64_t step = observed.answer.begin; observe_ && step < observed.answer.end; ++step) {
      const at::Tensor of_row = evidence_[step][static_cast<int64_t>(row)];
      observed.evidence.emplace_back(of_row.data_ptr<float>(), of_row.data_ptr<float>() + of_row.numel());
    }
  }

  bool answered_from_passages(size_t row) const {
    return rows_[row]->given != GivenAnswer::kNeither && !rows_[row]->prompt.all_passages.empty();
  }

  // Step whose position chose the row's answer token of that index, or the last one; 0 where there is no answer.
  int64_t step_of(size_t row, int64_t token) const {
    const TokenRange answer = rows_[row]->answer;
    return rows_[row]->given == GivenAnswer::kNeither ? 0 : std::min(answer.begin + token, answer.end - 1);
  }

  // `by_step` at every row's own step.
  template <typename At>
  at::Tensor at_steps(int64_t token, At by_step) const {
    at::Tensor values = at::empty_like(by_step(0));
    for (size_t row = 0; row < rows_.size(); ++row)
      values[static_cast<int64_t>(row)].copy_(by_step(static_cast<size_t>(step_of(row, token)))[static_cast<int64_t>(row)]);
    return values;
  }

  at::Tensor queries(int64_t token) const {
    return at_steps(token, [&](size_t step) { return queries_[step]; });
  }

  std::vector<int64_t> positions(int64_t token) const {
    std::vector<int64_t> at;
    for (size_t row = 0; row < rows_.size(); ++row)
      at.push_back(static_cast<int64_t>(rows_[row]->prompt.tokens.size()) - 1 + step_of(row, token));
    return at;
  }

  // From the queries that chose the answers' tokens and the keys that are still in the cache.
  void read_patterns() {
    if (queries_.empty()) return;  // no row said anything
    int64_t keys = 0, longest = 1;
    for (const ObservedCase* row : rows_) {
      if (row->given == GivenAnswer::kNeither) continue;
      keys = std::max(keys, row->prompt.all_passages.end);
      longest = std::max(longest, row->answer.size());
    }
    std::vector<Spelling> spellings;
    for (const ObservedCase* row : rows_) spellings.emplace_back(model_.tokenizer(), row->prompt.passage_ids());
    for (int64_t token = 0; token < longest; ++token) read_pattern(token, keys, spellings);
    if (!at_answer_) return;
    const int64_t last = max_tokens_;
    at_answer_({.batch = &session_,
                .rows = rows_,
                .queries = queries(0),
                .last_queries = queries(last),
                .positions = positions(0),
                .last_positions = positions(last),
                .z = at_steps(0, [&](size_t step) { return moments_[step].z; }),
                .resid_mid = at_steps(0, [&](size_t step) { return moments_[step].resid_mid; }),
                .resid_post = at_steps(0, [&](size_t step) { return moments_[step].resid_post; })});
  }

  // Of every row's answer token of that index: what each head pays to its like, and of the first one the whole pattern.
  void read_pattern(int64_t token, int64_t keys, const std::vector<Spelling>& spellings) {
    const auto all = static_cast<size_t>(model_.config().layers * model_.config().heads);
    at::Tensor alike = at::zeros({static_cast<int64_t>(rows_.size()), std::max<int64_t>(keys, 1)}, at::kFloat);
    auto is_alike = alike.accessor<float, 2>();
    for (size_t row = 0; row < rows_.size(); ++row) {
      ObservedCase& observed = *rows_[row];
      if (!answered_from_passages(row) || token >= observed.answer.size()) continue;
      const std::vector<bool> readable = observed.prompt.readable(),
                              like = spellings[row].like(observed.said[observed.answer.begin + token]);
      for (size_t i = 0; i < like.size(); ++i)
        is_alike[static_cast<int64_t>(row)][observed.prompt.all_passages.begin + static_cast<int64_t>(i)] =
            like[i] && readable[i];
      if (token == 0) observed.alike = like;
    }
    at::Tensor pattern, to_alike;
    if (keys > 0) {
      pattern = session_.pattern(queries(token), positions(token), keys);
      to_alike = at::matmul(pattern, alike.to(pattern.device()).unsqueeze(2)).squeeze(2).cpu().contiguous();
      if (token == 0) pattern = pattern.cpu();
    }
    for (size_t row = 0; row < rows_.size(); ++row) {
      ObservedCase& observed = *rows_[row];
      if (observed.given == GivenAnswer::kNeither || token >= observed.answer.size()) continue;
      observed.attention_to_alike.emplace_back(all, 0.0f);
      if (!answered_from_passages(row)) continue;
      const float* of_row = to_alike[static_cast<int64_t>(row)].const_data_ptr<float>();
      observed.attention_to_alike.back().assign(of_row, of_row + all);
      const TokenRange passages = observed.prompt.all_passages;
      if (token == 0) observed.pattern = pattern[static_cast<int64_t>(row)].narrow(1, passages.begin, passages.size()).clone();
    }
  }

  const engine::Model& model_;
  std::vector<ObservedCase*> rows_;
  bool observe_;
  int64_t max_tokens_;
  const std::function<void(const AnswerMoment&)>& at_answer_;
  std::vector<std::string> texts_;
  std::vector<std::vector<ByteSpan>> token_bytes_;
  std::vector<bool> ended_;
  std::vector<at::Tensor> evidence_;  // by step: [rows, head], CPU
  std::vector<at::Tensor> queries_;   // by step
  struct Moment {
    at::Tensor z, resid_mid, resid_post;
  };
  std::vector<Moment> moments_;  // by step
  engine::BatchSession session_;
};

std::vector<ObservedCase> CaseRunner::run(std::vector<ContrastCase> cases, bool observe, const RunOptions& options) const {
  std::vector<ObservedCase> observed(cases.size());
  std::vector<size_t> lengths;
  for (size_t i = 0; i < cases.size(); ++i) {
    observed[i].prompt = prompt_of(cases[i], options.max_tokens);
    observed[i].made = std::move(cases[i]);
    lengths.push_back(observed[i].prompt.tokens.size());
  }
  std::optional<BatchEvidence> evidence;
  if (observe) evidence.emplace(decoder_->shared_model());
  int64_t done = 0;
  for (const std::vector<size_t>& batch : batches_of(lengths, decoder_->model().device())) {
    if (options.cancellation) options.cancellation->check();
    std::vector<ObservedCase*> rows;
    for (const size_t row : batch) rows.push_back(&observed[row]);
    Batch(*decoder_, std::move(rows), observe, options).run(evidence ? &*evidence : nullptr);
    done += static_cast<int64_t>(batch.size());
    if (options.progress) options.progress(done);
  }
  return observed;
}

}  // namespace openbook::attribution
