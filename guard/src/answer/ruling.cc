#include "answer/ruling.h"

#include <algorithm>

namespace openbook::guard {

Ruling rule(const Policy& policy, const Question& question, std::string_view text, const Judgement& judgement,
            std::string_view missing) {
  Ruling ruling;
  const auto weigh = [&](bool applies, Action action, const std::string& reason, auto wanted) {
    if (!applies || action <= ruling.action) return;
    // A word of the question explains nothing: a claim that says more is named, or none.
    const auto claim = first_claim_beyond(question, judgement, text, wanted);
    ruling = {action, claim ? reason + ": \"" + *claim + "\"" : reason};
  };
  const auto is = [](Verdict verdict) { return [verdict](const Claim& claim) { return claim.verdict == verdict; }; };
  const auto off_topic = [](const Claim& claim) { return claim.support == Support::kCopiedOffTopic; };
  const auto unquoted = [](const Claim& claim) {
    return claim.verdict == Verdict::kCopied && claim.support == Support::kUnsupported;
  };
  const bool supported = judgement.has_supported(), elsewhere = judgement.read_elsewhere(),
             recites_more = first_claim_beyond(question, judgement, text, is(Verdict::kRecited)).has_value(),
             pieced = supported && std::any_of(judgement.claims.begin(), judgement.claims.end(), unquoted);
  weigh(recites_more, policy.on_recited, "recited", is(Verdict::kRecited));
  weigh(elsewhere && !supported, policy.on_off_topic, "copied from a place that does not speak of the question", off_topic);
  weigh(!supported, policy.on_uncited, "not copied from a passage about the question", [](const Claim&) { return true; });
  weigh(!missing.empty(), policy.on_off_topic, std::string(missing), [](const Claim&) { return false; });
  weigh(judgement.has(Verdict::kRecited), policy.on_recited, "recited: only words of the question", is(Verdict::kRecited));
  weigh(judgement.has(Verdict::kUnchecked), policy.on_unchecked, "unchecked", is(Verdict::kUnchecked));
  weigh(pieced, policy.on_unchecked, "words of the passages that do not stand together there", unquoted);
  weigh(elsewhere && supported, policy.on_unchecked, "copied from a place that does not speak of the question", off_topic);
  return ruling;
}

}  // namespace openbook::guard
