#include "answer/answerer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "answer/abstention.h"
#include "answer/append.h"
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

Answerer::Answerer(const Speaker& speaker, const Policy& policy, const Request& request, OnSentence on_sentence)
    : speaker_(speaker),
      policy_(&policy),
      request_(request),
      unbegun_(without_lead_in(*request.prompt)),
      prompt_(request.prompt),
      on_sentence_(std::move(on_sentence)),
      listener_(speaker, request, request.options->max_tokens),
      sampler_({.temperature = request.options->temperature, .seed = request.options->seed}),
      tokens_left_(request.options->max_tokens) {}

// Bytes that are no text show as '?'; the marks of a heading do not show, nor does it that the answer was begun.
void Answerer::make_showable(Spoken& spoken) const {
  spoken.text = with_valid_utf8(std::move(spoken.text));
  drop_heading_mark(spoken);
  if (accepted_.empty() && !prompt_->begun_answer.empty()) begin_sentence(spoken);
}

Spoken Answerer::speak_sentence() {
  const engine::Model& model = session().decoder().model();
  const std::vector<engine::TokenId>& stops = model.config().stop_ids;
  Spoken spoken;
  int64_t shown = 0;
  for (;;) {
    const engine::TokenId token = pending_ ? *pending_ : session().choose(sampler_);
    pending_.reset();
    if (std::find(stops.begin(), stops.end(), token) != stops.end() || model.tokenizer().is_special(token) || tokens_left_ == 0) {
      spoken.last = true;
      break;
    }
    const std::string bytes = model.tokenizer().token_bytes(token);
    if (begins_new_sentence(spoken.text, bytes)) {
      make_showable(spoken);
      if (!trimmed(spoken.text).empty()) {
        pending_ = token;
        break;
      }
    }
    --tokens_left_;
    listener_.hear(spoken, token, bytes);
    show_words(spoken, shown);
  }
  make_showable(spoken);
  return spoken;
}

// Under a policy that streams words: what has become a whole word since `shown`, which moves on. Nothing of it is judged yet.
void Answerer::show_words(const Spoken& spoken, int64_t& shown) const {
  if (!policy_->stream_words || !request_.options->on_text) return;
  const std::string text = with_valid_utf8(spoken.text);
  const std::vector<WordSpan> words = split_words(text);
  const int64_t whole = words.empty() ? 0 : words.back().bytes.begin;
  if (whole <= shown) return;
  request_.options->on_text(slice(text, {shown, whole}), Delivery::kFlagged, true);
  shown = whole;
}

// What an answer's first sentence lacks as a sentence (ruling.h): it has to answer, and to give a quantity where the question
// asks for one. What comes after it may say more.
std::string_view Answerer::missing(const Answer& so_far, std::string_view text) const {
  if (!so_far.sentences.empty()) return {};
  if (asks(text)) return kAsks;
  return question().asks_quantity() && !gives_quantity(text, question()) ? kNoQuantity : std::string_view();
}

// The same, and that one of its first `claims` claims stands in a sentence that answers. A sentence without a supported claim
// lacks something else.
std::string_view Answerer::missing(const Answer& so_far, std::string_view text, const Judgement& judgement, size_t claims) const {
  if (const std::string_view lacks = missing(so_far, text); !so_far.sentences.empty() || !lacks.empty()) return lacks;
  bool supported = false;
  for (const Claim& claim : std::span(judgement.claims).first(claims)) {
    if (claim.support != Support::kSupported) continue;
    if (request_.topic->answer_holds(std::span(judgement.said).subspan(claim.first_word, claim.words))) return {};
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
  require_causal(judgement);
  if (!stands() || !missing(answer, spoken.text, judgement, judgement.claims.size()).empty()) return std::nullopt;
  answer.trace.push_back(attempt_of("prove", spoken, judgement, "supported and causal"));
  return judgement;
}

// Draws to the sentences that answer best and to what they say beyond the question, and when nothing comes of it the same with
// all on topic. An answer says the question's words again, so whole sentences come first; a sentence to be continued has said
// them.
std::optional<std::pair<Spoken, Judgement>> Answerer::steer(Answer& answer) {
  const std::vector<SentencePlace> all = request_.topic ? request_.topic->sentences_on_topic() : std::vector<SentencePlace>{};
  if (all.empty()) {
    answer.trace.push_back({.what = "steer", .outcome = "not possible: no passage speaks of the question"});
    return std::nullopt;
  }
  std::vector<std::vector<TokenRange>> ways;
  for (const std::vector<SentencePlace>& sentences : {request_.topic->closest_of(all), all}) {
    std::array keys = {tokens_of(*prompt_, sentences), tokens_of_news(*prompt_, sentences, question(), *request_.passages)};
    if (request_.options->form == PromptForm::kBare) std::swap(keys[0], keys[1]);
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
  speaker_.atlas->steering.put_in_force(prompt_->first_after_passages(), keys, session().edits());
  restart();
  Spoken spoken = speak_sentence();
  session().edits().clear();
  const int64_t start = session().position() - std::ssize(spoken.tokens);
  end_before_repetition(spoken);
  session().rewind(start + std::ssize(spoken.tokens));
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
  require_causal(judgement);
  const auto standing = standing_claims(judgement);
  if (standing > 0 && !begins_with_an_answer(judgement, *request_.topic)) {
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
  const int64_t start = session().position() - static_cast<int64_t>(spoken.tokens.size());
  for (int32_t i = standing_claims(judgement); i-- > 0;) {
    const Claim* const last = &judgement.claims[i];
    if (!first_claim_beyond(question(), judgement, spoken.text, [&](const Claim& claim) { return &claim <= last; })) break;
    const size_t word = last->first_word + last->words;
    if (!missing(so_far, text_before(word, spoken, judgement), judgement, static_cast<size_t>(i) + 1).empty()) break;
    const int32_t token = judgement.words[word].first_token;
    session().rewind(start + token - 1);
    listener_.append({&spoken.tokens[token - 1].id, 1});
    if (speaker_.sentence_end->probability(session().logits()) >= kMayEnd) return word;
  }
  return std::nullopt;
}

// The comma, semicolon or colon that ends the last clause whose claims all stand: a second best place to cut before, for the
// clause may be a piece of a sentence ("Windows 8, an operating system"). Nothing when no claim would be left.
std::optional<size_t> Answerer::clause_end(const Spoken& spoken, const Judgement& judgement, const Answer& so_far) const {
  for (int32_t i = standing_claims(judgement); i-- > 0;) {
    const size_t word = judgement.claims[i].first_word + judgement.claims[i].words;
    if (!missing(so_far, text_before(word, spoken, judgement), judgement, static_cast<size_t>(i) + 1).empty()) break;
    const std::string_view next = slice(spoken.text, judgement.words[word].answer);
    if (next == "," || next == ";" || next == ":") return word;
  }
  return std::nullopt;
}

void Answerer::measure(Judgement& judgement, const Spoken& spoken) const {
  measure_causal(judgement, spoken, accepted_,
                 {&listener_.session(), prompt_, request_.passages, speaker_.atlas->causal_nats, request_.cancellation});
}

// Goes back to the end of the passages and reads question and accepted sentences again, under the edits now in force.
void Answerer::restart() {
  const int64_t from = prompt_->first_after_passages();
  session().rewind(from);
  std::vector<engine::TokenId> tokens(prompt_->tokens.begin() + from, prompt_->tokens.end());
  tokens.insert(tokens.end(), accepted_.begin(), accepted_.end());
  listener_.append(tokens);
  pending_.reset();
}

void Answerer::deliver(Answer& answer, const Spoken& spoken, const Judgement& judgement, Delivery delivery, bool steered,
                       std::string reason) {
  append_to(answer, spoken, judgement, *request_.passages, delivery, steered, std::move(reason));
  for (const TokenObservation& token : spoken.tokens) accepted_.push_back(token.id);
  on_sentence_(answer);
  if (request_.options->on_text) request_.options->on_text(spoken.text, delivery, false);
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
  const std::string_view lacks = missing(answer, spoken.text, judgement, judgement.claims.size());
  const Ruling ruling = rule(*policy_, question(), spoken.text, judgement, lacks);
  answer.trace.push_back(attempt_of("decode", spoken, judgement, ruling.reason.empty() ? "supported" : ruling.reason, lacks));
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

// The documents do not answer, says the model: the policy words what is shown. What the model said is judged as any other
// sentence and stands in the trace.
void Answerer::abstain(Answer& answer, const Spoken& spoken) {
  answer.trace.push_back(attempt_of("decode", spoken, judge_by_probe(spoken, context()), std::string(kAbstains)));
  if (answer.sentences.empty()) answer.outcome = Outcome::kAbstained;
}

void Answerer::run(Answer& answer) {
  listener_.append(prompt_->tokens);
  answer.outcome = Outcome::kAnswered;
  for (int64_t sentences = 0; sentences < policy_->max_sentences; ++sentences) {
    const Spoken spoken = speak_sentence();
    if (trimmed(spoken.text).empty()) break;
    if (is_abstention(spoken.text, question())) {
      abstain(answer, spoken);
      break;
    }
    if (!settle(answer, spoken)) break;
  }
  if (answer.outcome == Outcome::kAnswered && answer.sentences.empty()) refuse(answer, "the model said nothing");
}

}  // namespace openbook::guard
