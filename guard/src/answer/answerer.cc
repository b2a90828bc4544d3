#include "answer/answerer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "answer/abstention.h"
#include "answer/cut.h"
#include "answer/news.h"
#include "answer/ruling.h"
#include "judge/causal.h"
#include "judge/quantity.h"
#include "openbook/base/sentences.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"

namespace openbook::guard {
namespace {

int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\n\r");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t\n\r") - begin + 1));
}

// Why a claim of a steered sentence does not stand.
std::string why_unsupported(const Claim& claim, std::string_view text) {
  return (claim.citation ? "not causal: " : "not copied from a passage about the question: ") +
         in_quotes(slice(text, claim.answer));
}

// Whether `next` begins a new sentence after `text`.
bool begins_sentence(const std::string& text, const std::string& next) {
  return split_sentences(with_valid_utf8(text + next)).size() > 1;
}

bool asks(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\n\r\"");
  return last != std::string_view::npos && (text[last] == '?' || text.substr(0, last + 1).ends_with("\uff1f"));
}

// A place where the model would end its sentence this often can be its end.
constexpr double kMayEnd = 0.05;

// What the model says by itself it says to the question. A steered sentence is said because attention was drawn to it: whether it
// answers has to be seen, from the place of the claim that it begins with. What follows may stand in an answer by chance.
bool begins_with_an_answer(const Judgement& judgement, const Topic& topic) {
  return topic.answers(judgement.citations[*judgement.claims.front().citation].sentence_text);
}

}  // namespace

Answerer::Answerer(const Speaker& speaker, const Policy& policy, const engine::Prompt& prompt, std::string_view question,
                   const Topic* topic, const AskOptions& options, OnSentence on_sentence)
    : speaker_(speaker),
      policy_(&policy),
      unbegun_(without_lead_in(prompt)),
      prompt_(&prompt),
      passages_(speaker.decoder->model().tokenizer(), prompt),
      question_(question),
      topic_(topic),
      options_(&options),
      on_sentence_(std::move(on_sentence)),
      session_(*speaker.decoder, static_cast<int64_t>(prompt.tokens.size()) + options.max_tokens + 1, speaker.monitor->heads(),
               prompt.all_passages),
      sampler_({.temperature = options.temperature, .seed = options.seed}),
      tokens_left_(options.max_tokens),
      deadline_ms_(options.deadline_ms > 0 ? steady_ms() + options.deadline_ms : 0) {}

void Answerer::check_time() const {
  if (options_->cancellation) options_->cancellation->check();
  if (deadline_ms_ > 0 && steady_ms() > deadline_ms_)
    throw Error(Code::kDeadlineExceeded, "the answer took longer than " + std::to_string(options_->deadline_ms) + " ms",
                "Allow more time, or fewer tokens or passages.");
}

void Answerer::hear(Spoken& spoken, engine::TokenId token) {
  TokenObservation observation = speaker_.monitor->observe(session_, passages_, token);
  observation.edited = !session_.edits().neutral();
  const std::string bytes = session_.decoder().model().tokenizer().token_bytes(token);
  const auto begin = static_cast<int64_t>(spoken.text.size());
  spoken.text += bytes;
  spoken.token_bytes.push_back({begin, begin + static_cast<int64_t>(bytes.size())});
  spoken.tokens.push_back(std::move(observation));
  session_.append({&token, 1}, options_->cancellation);
}

// Bytes that are no text show as '?'; the marks of a heading do not show, nor does it that the answer was begun.
void Answerer::make_showable(Spoken& spoken) const {
  spoken.text = with_valid_utf8(std::move(spoken.text));
  drop_heading_mark(spoken);
  if (accepted_.empty() && !prompt_->begun_answer.empty()) begin_sentence(spoken);
}

Spoken Answerer::speak_sentence() {
  const engine::Model& model = session_.decoder().model();
  const std::vector<engine::TokenId>& stops = model.config().stop_ids;
  Spoken spoken;
  int64_t shown = 0;
  for (;;) {
    check_time();
    const engine::TokenId token = pending_ ? *pending_ : session_.choose(sampler_);
    pending_.reset();
    if (std::find(stops.begin(), stops.end(), token) != stops.end() || model.tokenizer().is_special(token) || tokens_left_ == 0) {
      spoken.last = true;
      break;
    }
    if (begins_sentence(spoken.text, model.tokenizer().token_bytes(token))) {
      make_showable(spoken);
      if (!trimmed(spoken.text).empty()) {
        pending_ = token;
        break;
      }
    }
    --tokens_left_;
    hear(spoken, token);
    show_words(spoken, shown);
  }
  make_showable(spoken);
  return spoken;
}

// Under a policy that streams words: what has become a whole word since `shown`, which moves on. Nothing of it is judged yet.
void Answerer::show_words(const Spoken& spoken, int64_t& shown) const {
  if (!policy_->stream_words || !options_->on_text) return;
  const std::string text = with_valid_utf8(spoken.text);
  const std::vector<WordSpan> words = split_words(text);
  const int64_t whole = words.empty() ? 0 : words.back().bytes.begin;
  if (whole <= shown) return;
  options_->on_text(slice(text, {shown, whole}), Delivery::kFlagged, true);
  shown = whole;
}

// What an answer's first sentence lacks as a sentence (ruling.h): it has to answer, and to give a quantity where the question
// asks for one. What comes after it may say more.
std::string_view Answerer::missing(const Answer& so_far, std::string_view text) const {
  if (!so_far.sentences.empty()) return {};
  if (asks(text)) return kQuestion;
  return asks_quantity(question_) && !gives_quantity(text, question_) ? kNoQuantity : std::string_view();
}

// The same, and that one of its `claims` stands in a sentence that answers. A sentence without a supported claim lacks something
// else.
std::string_view Answerer::missing(const Answer& so_far, std::string_view text, std::span<const Claim> claims) const {
  if (const std::string_view lacks = missing(so_far, text); !so_far.sentences.empty() || !lacks.empty()) return lacks;
  bool supported = false;
  for (const Claim& claim : claims) {
    if (claim.support != Support::kSupported) continue;
    if (topic_->answer_holds(slice(text, claim.answer))) return {};
    supported = true;
  }
  return supported ? kNoAnswer : std::string_view();
}

// A sentence that the model said by itself and that the probe is not sure of, tried as a steered one is: its words stand in one
// section on topic, and they are causal. Nothing when they are not.
std::optional<Judgement> Answerer::prove(const Spoken& spoken, Answer& answer) const {
  Judgement judgement = judge_by_quote(spoken, context());
  const auto stands = [&] { return !judgement.claims.empty() && standing_claims(judgement) == std::ssize(judgement.claims); };
  if (!stands()) return std::nullopt;
  measure(judgement, spoken);
  require_causal(spoken, judgement);
  if (!stands() || !missing(answer, spoken.text, judgement.claims).empty()) return std::nullopt;
  answer.trace.push_back(attempt_of("prove", spoken, judgement, "supported and causal"));
  return judgement;
}

// Draws to the sentences that answer best and to what they say beyond the question, and when nothing comes of it the same with
// all on topic. An answer says the question's words again, so whole sentences come first; a sentence to be continued has said
// them.
std::optional<std::pair<Spoken, Judgement>> Answerer::steer(Answer& answer) {
  const std::vector<SentencePlace> all = topic_ ? topic_->sentences_on_topic() : std::vector<SentencePlace>{};
  if (all.empty()) {
    answer.trace.push_back({.what = "steer", .outcome = "not possible: no passage speaks of the question"});
    return std::nullopt;
  }
  std::vector<std::vector<TokenRange>> ways;
  for (const std::vector<SentencePlace>& sentences : {topic_->closest_of(all), all}) {
    std::array keys = {tokens_of(*prompt_, sentences), tokens_of_news(*prompt_, sentences, question_)};
    if (options_->form == PromptForm::kBare) std::swap(keys[0], keys[1]);
    for (std::vector<TokenRange>& each : keys)
      if (!each.empty() && std::find(ways.begin(), ways.end(), each) == ways.end()) ways.push_back(std::move(each));
  }
  const int64_t room = tokens_left_;
  // Behind a lead-in a steered sentence leaves out what it is about.
  const engine::Prompt* const begun = std::exchange(prompt_, &unbegun_);
  for (const std::vector<TokenRange>& keys : ways) {
    tokens_left_ = room;  // what is not shown does not count
    if (auto steered = steer_to(keys, answer)) return steered;
  }
  prompt_ = begun;
  return std::nullopt;
}

std::optional<std::pair<Spoken, Judgement>> Answerer::steer_to(const std::vector<TokenRange>& keys, Answer& answer) {
  speaker_.atlas->steering.put_in_force(prompt_->first_after_passages(), keys, session_.edits());
  restart();
  Spoken spoken = speak_sentence();
  session_.edits().clear();
  const int64_t start = session_.position() - std::ssize(spoken.tokens);
  end_before_repetition(spoken);
  session_.rewind(start + std::ssize(spoken.tokens));
  if (answer.trace.back().what == "steer" && answer.trace.back().text == spoken.text) return std::nullopt;  // known already
  Judgement judgement = judge_by_quote(spoken, context());
  const auto note = [&](const std::string& result, std::string_view lacks = {}) {
    answer.trace.push_back(attempt_of("steer", spoken, judgement, result, lacks));
  };
  if (judgement.claims.empty()) {
    note("claims nothing");
    return std::nullopt;
  }
  if (const std::string_view lacks = missing(answer, spoken.text); !lacks.empty()) {
    note(std::string(lacks), lacks);
    return std::nullopt;
  }
  measure(judgement, spoken);
  require_causal(spoken, judgement);
  const auto standing = standing_claims(judgement);
  if (standing > 0 && !begins_with_an_answer(judgement, *topic_)) {
    note(std::string(kNoAnswer), kNoAnswer);
    return std::nullopt;
  }
  if (standing == static_cast<int32_t>(judgement.claims.size())) {
    note("supported and causal");
    return std::pair{std::move(spoken), std::move(judgement)};
  }
  const Claim& fallen = judgement.claims[standing];
  auto end = last_end(spoken, judgement, answer);
  if (!end) end = clause_end(spoken, judgement, answer);
  note(end ? "supported up to " + in_quotes(slice(spoken.text, fallen.answer)) + ", cut before it"
           : why_unsupported(fallen, spoken.text));
  if (!end) return std::nullopt;
  cut_before(*end, spoken, judgement);
  return std::pair{std::move(spoken), std::move(judgement)};
}

// The word that a sentence can be cut before when not all of its claims stand: the last behind a claim that does, with all in
// front of it, where the model itself could have ended the sentence. Nothing when what is left would say no more than the
// question does, or not what it asks for. The session is left at an earlier position.
std::optional<size_t> Answerer::last_end(const Spoken& spoken, const Judgement& judgement, const Answer& so_far) {
  const int64_t start = session_.position() - static_cast<int64_t>(spoken.tokens.size());
  for (int32_t i = standing_claims(judgement); i-- > 0;) {
    const Claim* const last = &judgement.claims[i];
    if (!first_claim_beyond(question_, judgement, spoken.text, [&](const Claim& claim) { return &claim <= last; })) break;
    const size_t word = last->first_word + last->words;
    if (!missing(so_far, text_before(word, spoken, judgement), std::span(judgement.claims).first(i + 1)).empty()) break;
    const int32_t token = judgement.words[word].first_token;
    session_.rewind(start + token - 1);
    session_.append({&spoken.tokens[token - 1].id, 1}, options_->cancellation);
    if (speaker_.sentence_end->probability(session_.logits()) >= kMayEnd) return word;
  }
  return std::nullopt;
}

// The comma, semicolon or colon that ends the last clause whose claims all stand: a second best place to cut before, for the
// clause may be a piece of a sentence ("Windows 8, an operating system"). Nothing when no claim would be left.
std::optional<size_t> Answerer::clause_end(const Spoken& spoken, const Judgement& judgement, const Answer& so_far) const {
  for (int32_t i = standing_claims(judgement); i-- > 0;) {
    const size_t word = judgement.claims[i].first_word + judgement.claims[i].words;
    if (!missing(so_far, text_before(word, spoken, judgement), std::span(judgement.claims).first(i + 1)).empty()) break;
    const std::string_view next = slice(spoken.text, judgement.words[word].answer);
    if (next == "," || next == ";" || next == ":") return word;
  }
  return std::nullopt;
}

void Answerer::measure(Judgement& judgement, const Spoken& spoken) const {
  measure_causal(judgement, spoken, accepted_, *prompt_, *speaker_.decoder, speaker_.atlas->causal_nats);
}

// Goes back to the end of the passages and reads question and accepted sentences again, under the edits now in force.
void Answerer::restart() {
  const int64_t from = prompt_->first_after_passages();
  session_.rewind(from);
  std::vector<engine::TokenId> tokens(prompt_->tokens.begin() + from, prompt_->tokens.end());
  tokens.insert(tokens.end(), accepted_.begin(), accepted_.end());
  session_.append(tokens, options_->cancellation);
  pending_.reset();
}

void Answerer::deliver(Answer& answer, const Spoken& spoken, const Judgement& judgement, Delivery delivery, bool steered,
                       std::string reason) {
  append_to(answer, spoken, judgement, delivery, steered, std::move(reason));
  for (const TokenObservation& token : spoken.tokens) accepted_.push_back(token.id);
  on_sentence_(answer);
  if (options_->on_text) options_->on_text(spoken.text, delivery, false);
}

// Delivers what stands in front of `word`, and ends the answer.
bool Answerer::deliver_up_to(size_t word, Answer& answer, Spoken spoken, Judgement judgement) {
  cut_before(word, spoken, judgement);
  answer.trace.push_back(attempt_of("cut", spoken, judgement, "what stands of it"));
  if (policy_->require_causal_citations) measure(judgement, spoken);
  deliver(answer, spoken, judgement, Delivery::kDelivered, false, {});
  return false;
}

void Answerer::refuse(Answer& answer, const std::string& reason) {
  answer.trace.push_back({.what = "refuse", .outcome = reason});
  if (answer.sentences.empty()) {
    answer.outcome = Outcome::kRefused;
    answer.refusal_reason = reason;
  }
}

// What can be delivered in place of a sentence that does not stand, and whether the answer goes on after it: the sentence itself
// when it proves causal, its beginning, or what the model says when it is steered. Nothing when there is none of it.
std::optional<bool> Answerer::rescue(Answer& answer, const Spoken& spoken, const Judgement& judgement) {
  if (!judgement.has(Verdict::kRecited) && missing(answer, spoken.text).empty()) {
    if (const auto proved = prove(spoken, answer)) {
      deliver(answer, spoken, *proved, Delivery::kDelivered, false, {});
      return !spoken.last;
    }
  }
  if (const auto end = last_end(spoken, judgement, answer)) return deliver_up_to(*end, answer, spoken, judgement);
  // After a sentence that stands the answer is given: to steer for more brings what nobody asked.
  if (!answer.sentences.empty()) return std::nullopt;
  tokens_left_ += static_cast<int64_t>(spoken.tokens.size());  // what is not shown does not count
  if (auto steered = steer(answer)) {
    const bool last = steered->first.last;
    deliver(answer, steered->first, steered->second, Delivery::kDelivered, true, {});
    if (!last) restart();
    return !last;
  }
  tokens_left_ -= static_cast<int64_t>(spoken.tokens.size());
  if (const auto end = clause_end(spoken, judgement, answer)) return deliver_up_to(*end, answer, spoken, judgement);
  return std::nullopt;
}

// Judges a sentence and does what the policy says. False: the answer ends here.
bool Answerer::settle(Answer& answer, const Spoken& spoken) {
  Judgement judgement = judge_by_probe(spoken, context());
  const std::string_view lacks = missing(answer, spoken.text, judgement.claims);
  const Ruling ruling = rule(*policy_, question_, spoken.text, judgement, lacks);
  answer.trace.push_back(
      attempt_of("decode", spoken, judgement, ruling.reason.empty() ? "supported" : ruling.reason, lacks));
  if (ruling.action == Action::kAllow || ruling.action == Action::kFlag) {
    if (policy_->require_causal_citations) measure(judgement, spoken);
    deliver(answer, spoken, judgement, ruling.action == Action::kAllow ? Delivery::kDelivered : Delivery::kFlagged, false,
            ruling.reason);
    return !spoken.last;
  }
  if (ruling.action == Action::kSteer) {
    if (const auto goes_on = rescue(answer, spoken, judgement)) return *goes_on;
    if (policy_->after_steering == Action::kFlag) {
      deliver(answer, spoken, judgement, Delivery::kFlagged, false, ruling.reason);
      if (!spoken.last) restart();
      return !spoken.last;
    }
  }
  refuse(answer, ruling.reason);
  return false;
}

void Answerer::run(Answer& answer) {
  session_.append(prompt_->tokens, options_->cancellation);
  answer.outcome = Outcome::kAnswered;
  for (int64_t sentences = 0; sentences < policy_->max_sentences; ++sentences) {
    const Spoken spoken = speak_sentence();
    if (trimmed(spoken.text).empty()) break;
    if (is_abstention(spoken.text)) {
      answer.trace.push_back(attempt_of("decode", spoken, judge_by_probe(spoken, context()),
                                        "the model says that the documents do not answer"));
      if (answer.sentences.empty()) answer.outcome = Outcome::kAbstained;
      break;
    }
    if (!settle(answer, spoken)) break;
  }
  if (answer.outcome == Outcome::kAnswered && answer.sentences.empty()) refuse(answer, "the model said nothing");
}

void Answerer::read(Answer& answer, std::string_view text) {
  require_utf8(text, "the answer");
  session_.append(prompt_->tokens, options_->cancellation);
  answer.outcome = Outcome::kAnswered;
  const std::vector<engine::Token> tokens = session_.decoder().model().tokenizer().encode(text);
  Spoken spoken;
  for (const engine::Token& token : tokens) {
    check_time();
    const std::string bytes(text.substr(token.bytes.begin, token.bytes.size()));
    if (begins_sentence(spoken.text, bytes)) {
      spoken.text = with_valid_utf8(std::move(spoken.text));
      settle(answer, spoken);
      spoken = {};
    }
    hear(spoken, token.id);
  }
  if (!spoken.tokens.empty()) settle(answer, spoken);
}

}  // namespace openbook::guard
