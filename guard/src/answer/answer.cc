#include "openbook/guard/answer.h"

namespace openbook {

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kCopied:
      return "copied";
    case Verdict::kRecited:
      return "recited";
    case Verdict::kNeutral:
      return "neutral";
    case Verdict::kUnchecked:
      return "unchecked";
  }
  return "unchecked";
}

std::string_view support_name(Support support) {
  switch (support) {
    case Support::kSupported:
      return "supported";
    case Support::kCopiedOffTopic:
      return "copied_off_topic";
    case Support::kUnsupported:
      return "unsupported";
  }
  return "unsupported";
}

std::string_view delivery_name(Delivery delivery) {
  switch (delivery) {
    case Delivery::kDelivered:
      return "delivered";
    case Delivery::kFlagged:
      return "flagged";
    case Delivery::kRefused:
      return "refused";
  }
  return "refused";
}

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAnswered:
      return "answered";
    case Outcome::kRefused:
      return "refused";
    case Outcome::kAbstained:
      return "abstained";
  }
  return "refused";
}

}  // namespace openbook
