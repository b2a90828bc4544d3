#include "answer/checker.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "answer/abstention.h"
#include "answer/append.h"
#include "answer/ruling.h"
#include "openbook/base/sentences.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"

namespace openbook::guard {

Checker::Checker(const Speaker& speaker, const Policy& policy, const Request& request)
    : speaker_(speaker), policy_(&policy), request_(request) {}

// Of a text from elsewhere it is asked whether the documents say it, not whether it is a good answer: nothing is missing.
void Checker::settle(Answer& answer, Spoken spoken) {
  spoken.text = with_valid_utf8(std::move(spoken.text));
  const JudgeContext context{request_.prompt, request_.passages, request_.topic,
                             speaker_.atlas,  request_.question, /*written_elsewhere=*/true};
  Judgement judgement = judge_by_probe(spoken, context);
  if (is_abstention(spoken.text, *request_.question)) {
    ++abstentions_;
    answer.trace.push_back(attempt_of("read", spoken, judgement, std::string(kAbstains)));
    judgement.claims.clear();
    judgement.citations.clear();
    for (Word& word : judgement.words) word.verdict = Verdict::kNeutral;
    append_to(answer, spoken, judgement, *request_.passages, Delivery::kDelivered, false, {});
    return;
  }
  const Ruling ruling = rule(*policy_, *request_.question, spoken.text, judgement, {});
  answer.trace.push_back(attempt_of("read", spoken, judgement, ruling.reason.empty() ? "supported" : ruling.reason));
  append_to(answer, spoken, judgement, *request_.passages,
            ruling.action == Action::kAllow ? Delivery::kDelivered : Delivery::kFlagged, false, ruling.reason);
}

void Checker::read(Answer& answer, std::string_view text) {
  require_utf8(text, "the answer");
  const std::vector<engine::Token> tokens = speaker_.decoder->model().tokenizer().encode(text);
  if (tokens.empty())
    throw Error(Code::kInvalidArgument, "the answer holds nothing that this model has a token for", "Is it the right text?");
  Listener listener(speaker_, request_, static_cast<int64_t>(tokens.size()));
  listener.append(request_.prompt->tokens);
  Spoken spoken;
  // The text's own bytes, whole: a tokenizer may have no token for some of them and leave them out.
  int64_t covered = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const int64_t end = i + 1 == tokens.size() ? static_cast<int64_t>(text.size()) : std::max(covered, tokens[i].bytes.end);
    const std::string bytes(slice(text, {covered, end}));
    covered = end;
    if (begins_new_sentence(spoken.text, bytes)) settle(answer, std::exchange(spoken, {}));
    listener.hear(spoken, tokens[i].id, bytes);
  }
  if (!spoken.tokens.empty()) settle(answer, std::move(spoken));
  answer.outcome = abstentions_ == answer.sentences.size() ? Outcome::kAbstained : Outcome::kAnswered;
}

}  // namespace openbook::guard
