// Judges a text that somebody else wrote, sentence by sentence, as the model reads it. Nothing is steered, held back or refused:
// a sentence that a policy would not let pass is flagged, with the reason.
//
// One request, one Checker, one thread.
#pragma once

#include <string_view>

#include "answer/listener.h"
#include "openbook/guard/guard.h"
#include "openbook/guard/policy.h"

namespace openbook::guard {

class Checker {
 public:
  // `policy` flags at most (Policy::load("annotate")).
  Checker(const Speaker& speaker, const Policy& policy, const Request& request);

  // Fills text, words, claims, citations, sentences, trace and outcome of `answer`. Abstained: every sentence says that the
  // documents do not answer. Throws invalid_argument when the text is not UTF-8, and what the request's cancellation throws.
  void read(Answer& answer, std::string_view text);

 private:
  void settle(Answer& answer, Spoken spoken);

  Speaker speaker_;
  const Policy* policy_;
  Request request_;
  size_t abstentions_ = 0;
};

}  // namespace openbook::guard
