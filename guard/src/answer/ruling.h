// What a policy demands of a judged sentence, and why. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "judge/judge.h"
#include "openbook/guard/policy.h"

namespace openbook::guard {

// Why a sentence is no answer to a question for a quantity (quantity.h).
inline constexpr const char* kNoQuantity = "gives no number, though the question asks for one";

struct Ruling {
  Action action = Action::kAllow;
  std::string reason;  // for people, with the words it is about; empty when the sentence is allowed
};

// The strictest action of the rules that apply; of rules that are equally strict the one that tells a reader most gives the
// reason. `text` is the sentence's; `gives_what_is_asked`: it gives the quantity, where the question asks for one.
Ruling rule(const Policy& policy, std::string_view question, std::string_view text, const Judgement& judgement,
            bool gives_what_is_asked);

}  // namespace openbook::guard
