// What a policy demands of a judged sentence, and why. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "judge/judge.h"
#include "openbook/guard/policy.h"

namespace openbook::guard {

// What the trace says of a sentence that says of the documents that they do not answer (abstention.h).
inline constexpr std::string_view kAbstains = "says that the documents do not answer";

// Why an answer's first sentence does not say what was asked: it asks itself; the question is for a quantity (quantity.h);
// nothing that was copied stands in a sentence that answers (Topic::answer_holds).
inline constexpr std::string_view kAsks = "asks a question", kNoQuantity = "gives no number, though the question asks for one",
                                  kNoAnswer = "copied from a sentence that does not say what the question asks";

struct Ruling {
  Action action = Action::kAllow;
  std::string reason;  // for people, with the words it is about; empty when the sentence is allowed
};

// The strictest action of the rules that apply; of rules that are equally strict the one that tells a reader most gives the
// reason. `text` is the sentence's; `missing`: one of these, or empty when it says what was asked.
Ruling rule(const Policy& policy, const Question& question, std::string_view text, const Judgement& judgement,
            std::string_view missing);

}  // namespace openbook::guard
