#include "answer/listener.h"

#include <utility>

namespace openbook::guard {

Listener::Listener(const Speaker& speaker, const Request& request, int64_t max_tokens)
    : monitor_(speaker.monitor),
      passages_(speaker.decoder->model().tokenizer(), *request.prompt),
      cancellation_(request.cancellation),
      session_(*speaker.decoder, static_cast<int64_t>(request.prompt->tokens.size()) + max_tokens + 1, speaker.monitor->heads(),
               request.prompt->all_passages) {}

void Listener::hear(Spoken& spoken, engine::TokenId token, std::string_view bytes) {
  TokenObservation observation = monitor_->observe(session_, passages_, token);
  observation.edited = !session_.edits().neutral();
  const auto begin = static_cast<int64_t>(spoken.text.size());
  spoken.text += bytes;
  spoken.token_bytes.push_back({begin, begin + static_cast<int64_t>(bytes.size())});
  spoken.tokens.push_back(std::move(observation));
  append({&token, 1});
}

}  // namespace openbook::guard
