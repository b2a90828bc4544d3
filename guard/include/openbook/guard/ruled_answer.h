// What another policy would have done with an answer that the provenance log holds.
//
// The log keeps every attempt of an answer with its judgement. The rules that the guard applies while it answers are applied to
// these again, under any policy. No model is asked, so what the model never said stays unknown, and is named.
//
// Thread-safe. Plain data.
//
//   const auto log = ProvenanceLog::open("answers.log", key, LogMode::kReadOnly);
//   const RuledAnswer ruled = rule_again(log->of_answer(id), Policy::load("annotate"));
//   if (ruled.outcome == Outcome::kRefused) std::cout << ruled.reason;
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "openbook/guard/answer.h"
#include "openbook/guard/policy.h"
#include "openbook/guard/provenance_log.h"

namespace openbook {

struct RuledSentence {
  std::string text;
  std::optional<Delivery> delivery;  // nothing: it can't be known
  bool steered = false;              // the record holds what steering brought
  std::string reason;                // why it is not simply delivered
};

struct RuledAnswer {
  std::optional<Outcome> outcome;  // nothing: it can't be known
  std::string text;                // what would be shown, as far as it is known
  std::string reason;              // of a refusal
  std::vector<RuledSentence> sentences;
  std::vector<std::string> not_known;  // what the record can't tell, and why

  Outcome recorded_outcome = Outcome::kRefused;
  std::string recorded_policy;  // its name
};

// `records` are all records of one answer. Throws failed_precondition (the answer was erased, was interrupted, or was recorded
// by a build that did not keep every attempt's judgement), data_loss (no records of an answer).
RuledAnswer rule_again(const std::vector<LogEntry>& records, const Policy& policy);

}  // namespace openbook
