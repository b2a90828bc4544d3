// A session whose every token is watched: what the model says, or reads, becomes a Spoken sentence. One request, one thread.
#pragma once

#include "judge/monitor.h"
#include "judge/spoken.h"
#include "openbook/base/cancellation.h"
#include "openbook/engine/prompt.h"
#include "openbook/engine/session.h"
#include "text/question.h"
#include "text/read_passage.h"

namespace openbook {
struct AskOptions;
}

namespace openbook::guard {

class SentenceEnd;
class Topic;

// What all requests share; everything outlives the requests.
struct Speaker {
  const engine::Decoder* decoder;
  const HeadMonitor* monitor;
  const attribution::HeadAtlas* atlas;
  const SentenceEnd* sentence_end;
};

// What one answer is made from; everything outlives it.
struct Request {
  const engine::Prompt* prompt;
  const Question* question;
  const std::vector<ReadPassage>* passages;  // the prompt's
  const Topic* topic;                        // null without passages
  const AskOptions* options;
  const Cancellation* cancellation;  // the caller's, and the deadline; looked at before every layer
};

class Listener {
 public:
  // Room for `max_tokens` behind the prompt.
  Listener(const Speaker& speaker, const Request& request, int64_t max_tokens);

  // Runs `token` through the model and puts what the heads did when it was chosen behind `spoken`. `bytes` is its text.
  void hear(Spoken& spoken, engine::TokenId token, std::string_view bytes);

  void append(std::span<const engine::TokenId> tokens) { session_.append(tokens, cancellation_); }
  engine::Session& session() { return session_; }
  const engine::Session& session() const { return session_; }

 private:
  const HeadMonitor* monitor_;
  WatchedPassages passages_;
  const Cancellation* cancellation_;
  engine::Session session_;
};

}  // namespace openbook::guard
