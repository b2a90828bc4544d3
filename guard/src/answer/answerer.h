// Speaks one answer, sentence by sentence, under a policy: decode, judge, deliver, flag, steer and check again, or refuse.
//
// One request, one Answerer, one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "answer/sentence_end.h"
#include "judge/judge.h"
#include "openbook/engine/prompt.h"
#include "openbook/engine/session.h"
#include "openbook/guard/guard.h"
#include "openbook/guard/policy.h"

namespace openbook::guard {

// What all requests share; everything outlives the Answerer.
struct Speaker {
  const engine::Decoder* decoder;
  const HeadMonitor* monitor;
  const attribution::HeadAtlas* atlas;
  const SentenceEnd* sentence_end;
};

// Called once a sentence is judged, before it counts as shown; may complete its citations.
using OnSentence = std::function<void(Answer& so_far)>;

class Answerer {
 public:
  Answerer(const Speaker& speaker, const Policy& policy, const engine::Prompt& prompt, std::string_view question,
           const Topic* topic, const AskOptions& options, OnSentence on_sentence);

  // Fills text, words, claims, citations, sentences, trace and outcome of `answer`.
  void run(Answer& answer);

  // Judges `text` as if the model had said it.
  void read(Answer& answer, std::string_view text);

 private:
  Spoken speak_sentence();
  void make_showable(Spoken& spoken) const;
  void hear(Spoken& spoken, engine::TokenId token);
  void show_words(const Spoken& spoken, int64_t& shown) const;
  std::string_view missing(const Answer& so_far, std::string_view text) const;
  std::string_view missing(const Answer& so_far, std::string_view text, std::span<const Claim> claims) const;
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
  void check_time() const;
  JudgeContext context() const { return {prompt_, topic_, speaker_.atlas, question_}; }

  Speaker speaker_;
  const Policy* policy_;
  const engine::Prompt unbegun_;  // the prompt without the answer's lead-in: what a steered answer goes on from
  const engine::Prompt* prompt_;  // what the session went on from
  WatchedPassages passages_;
  std::string question_;
  const Topic* topic_;
  const AskOptions* options_;
  OnSentence on_sentence_;
  engine::Session session_;
  engine::Sampler sampler_;
  std::optional<engine::TokenId> pending_;  // chosen, and seen to begin the next sentence
  std::vector<engine::TokenId> accepted_;   // the answer's tokens so far
  int64_t tokens_left_;                     // of what may still be shown
  int64_t deadline_ms_;                     // steady clock; 0: none
};

}  // namespace openbook::guard
