// Speaks one answer, sentence by sentence, under a policy: decode, judge, deliver, flag, steer and check again, or refuse.
//
// One request, one Answerer, one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "answer/listener.h"
#include "answer/sentence_end.h"
#include "judge/judge.h"
#include "openbook/guard/guard.h"
#include "openbook/guard/policy.h"

namespace openbook::guard {

// Called once a sentence is judged, before it counts as shown; may complete its citations.
using OnSentence = std::function<void(Answer& so_far)>;

class Answerer {
 public:
  Answerer(const Speaker& speaker, const Policy& policy, const Request& request, OnSentence on_sentence);

  // Fills text, words, claims, citations, sentences, trace and outcome of `answer`. Throws what the request's cancellation
  // throws.
  void run(Answer& answer);

 private:
  Spoken speak_sentence();
  void make_showable(Spoken& spoken) const;
  void show_words(const Spoken& spoken, int64_t& shown) const;
  std::string_view missing(const Answer& so_far, std::string_view text) const;
  std::string_view missing(const Answer& so_far, std::string_view text, const Judgement& judgement, size_t claims) const;
  std::optional<Judgement> prove(const Spoken& spoken, Answer& answer) const;
  std::optional<std::pair<Spoken, Judgement>> steer(Answer& answer);
  std::optional<std::pair<Spoken, Judgement>> steer_to(const std::vector<TokenRange>& keys, Answer& answer);
  std::optional<size_t> last_end(const Spoken& spoken, const Judgement& judgement, const Answer& so_far);
  std::optional<size_t> clause_end(const Spoken& spoken, const Judgement& judgement, const Answer& so_far) const;
  void measure(Judgement& judgement, const Spoken& spoken) const;  // which citations are causal
  void restart();
  std::optional<bool> rescue(Answer& answer, const Spoken& spoken, const Judgement& judgement);
  bool settle(Answer& answer, const Spoken& spoken);
  void deliver(Answer& answer, const Spoken& spoken, const Judgement& judgement, Delivery delivery, bool steered,
               std::string reason);
  bool deliver_up_to(size_t word, Answer& answer, Spoken spoken, Judgement judgement);
  void refuse(Answer& answer, const std::string& reason);
  void abstain(Answer& answer, const Spoken& spoken);
  JudgeContext context() const { return {prompt_, request_.passages, request_.topic, speaker_.atlas, request_.question}; }
  engine::Session& session() { return listener_.session(); }
  const Question& question() const { return *request_.question; }

  Speaker speaker_;
  const Policy* policy_;
  Request request_;
  const engine::Prompt unbegun_;  // the prompt without the answer's lead-in: what a steered answer goes on from
  const engine::Prompt* prompt_;  // what the session went on from
  OnSentence on_sentence_;
  Listener listener_;
  engine::Sampler sampler_;
  std::optional<engine::TokenId> pending_;  // chosen, and seen to begin the next sentence
  std::vector<engine::TokenId> accepted_;   // the answer's tokens so far
  int64_t tokens_left_;                     // of what may still be shown
};

}  // namespace openbook::guard
