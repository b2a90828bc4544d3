#include "case_runner.h"

#include <algorithm>

#include "openbook/base/words.h"

namespace openbook::attribution {
namespace {

constexpr int64_t kMaxTokens = 20;  // greedy answers name their object within a sentence; those that don't are dropped

std::vector<std::string> memory_answers(const ContrastCase& made) {
  std::vector<std::string> answers = {made.memory_answer};
  answers.insert(answers.end(), made.memory_aliases.begin(), made.memory_aliases.end());
  return answers;
}

// Bytes of the given answer in `text`; nothing when it is spelt with an article that the match ignores.
std::optional<ByteSpan> place_of_answer(const std::string& text, const ContrastCase& made, GivenAnswer given) {
  if (given == GivenAnswer::kNeither) return std::nullopt;
  const std::vector<std::string> spelt = given == GivenAnswer::kDocument ? std::vector{made.document_answer} : memory_answers(made);
  std::optional<ByteSpan> first;
  for (const std::string& answer : spelt)
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

}  // namespace

std::vector<engine::HeadId> all_heads(const engine::ModelConfig& config) {
  std::vector<engine::HeadId> heads;
  for (int32_t layer = 0; layer < config.layers; ++layer)
    for (int32_t head = 0; head < config.heads; ++head) heads.push_back({layer, head});
  return heads;
}

namespace {

// Indices into prompt.all_passages of the tokens whose source overlaps one of `part(place)`, place running over the occurrences of `words`.
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

std::optional<bool> CaseRunner::copied(const ObservedCase& observed) const {
  if (observed.given == GivenAnswer::kNeither) return std::nullopt;
  const bool document = observed.given == GivenAnswer::kDocument;
  const std::vector<std::string> sources = document ? std::vector{observed.made.document_answer} : memory_answers(observed.made);
  ContrastCase replaced = observed.made;
  bool held = false;
  for (Passage& passage : replaced.passages) {
    for (const std::string& source : sources) {
      held |= holds_words(passage.text, source);
      passage.text = replace_words(passage.text, source, replaced.replacement);
    }
    passage.range = {0, static_cast<int64_t>(passage.text.size())};
  }
  if (!held) return false;
  // The replacement takes the document answer's place in the match, the given answer the memory answer's.
  replaced.document_answer = replaced.replacement;
  if (document) {
    replaced.memory_answer = observed.made.document_answer;
    replaced.memory_aliases.clear();
  }
  switch (CaseRunner(*decoder_, {}).run(std::move(replaced)).given) {
    case GivenAnswer::kDocument: return true;
    case GivenAnswer::kMemory: return false;
    case GivenAnswer::kNeither: return std::nullopt;
  }
  return std::nullopt;
}

CaseRunner::CaseRunner(const engine::Decoder& decoder, std::vector<engine::HeadId> heads)
    : decoder_(&decoder), heads_(std::move(heads)), prompts_(decoder.model().tokenizer(), engine::read_chat_template(decoder.model().folder())) {
  if (!heads_.empty()) reader_.emplace(decoder.shared_model(), heads_);
}

std::string CaseRunner::say(const std::string& question) const {
  ContrastCase closed;
  closed.setting = Setting::kClosed;
  closed.question = question;
  return decoder_->model().tokenizer().decode(run(std::move(closed)).said);
}

ObservedCase CaseRunner::run(ContrastCase made, const SteeringDose* dose) const {
  const engine::Model& model = decoder_->model();
  ObservedCase observed;
  engine::PromptRequest request;
  request.passages = made.passages;
  request.question = made.question;
  request.style = made.setting == Setting::kBare ? engine::PromptStyle::kBare : engine::PromptStyle::kChat;
  observed.prompt = prompts_.build(request, model.config().max_positions - kMaxTokens);
  const std::vector<std::string> memory = memory_answers(made);
  const auto answered = [&](const std::string& said) {
    return given_answer(with_valid_utf8(said), made.document_answer, memory) != GivenAnswer::kNeither;
  };

  engine::Session session(*decoder_, static_cast<int64_t>(observed.prompt.tokens.size()) + kMaxTokens + 1, heads_, observed.prompt.all_passages);
  if (dose) dose->put_in_force(observed.prompt.first_after_passages(), observed.prompt.passage_tokens, session.edits());
  session.append(observed.prompt.tokens);
  engine::Sampler sampler({});
  std::string text;
  std::vector<ByteSpan> token_bytes;
  std::vector<std::vector<float>> evidence;
  std::vector<at::Tensor> patterns;
  while (static_cast<int64_t>(observed.said.size()) < kMaxTokens) {
    const engine::TokenId token = session.choose(sampler);
    if (model.tokenizer().is_special(token)) break;
    // One token past the answer, so that a word is never judged by its beginning.
    if (answered(text) && answered(text + model.tokenizer().token_bytes(token))) break;
    if (reader_) {
      evidence.push_back(reader_->read(*session.taps(), token));
      patterns.push_back(session.taps()->pattern().to(at::kCPU, at::kFloat, false, true));
    }
    const std::string bytes = model.tokenizer().token_bytes(token);
    token_bytes.push_back({static_cast<int64_t>(text.size()), static_cast<int64_t>(text.size() + bytes.size())});
    text += bytes;
    observed.said.push_back(token);
    session.append({&token, 1});
  }
  text = with_valid_utf8(text);
  observed.given = given_answer(text, made.document_answer, memory);
  if (const auto place = place_of_answer(text, made, observed.given)) {
    observed.answer = tokens_of(*place, token_bytes);
    if (reader_) {
      observed.evidence.assign(evidence.begin() + observed.answer.begin, evidence.begin() + observed.answer.end);
      if (!observed.prompt.all_passages.empty()) observed.pattern = patterns[observed.answer.begin];
    }
  } else {
    observed.given = GivenAnswer::kNeither;
  }
  observed.made = std::move(made);
  return observed;
}

}  // namespace openbook::attribution
