// An answer as its records hold it, read back: what is needed to rule it again.
#pragma once

#include <string>
#include <vector>

#include "openbook/guard/answer.h"
#include "openbook/guard/policy.h"
#include "openbook/guard/provenance_log.h"

namespace openbook::guard {

struct RecordedSentence {
  std::string text;
  bool flagged = false, steered = false;
};

struct RecordedAnswer {
  std::string question;
  Policy policy;
  std::vector<RecordedSentence> sentences;  // those that were shown
  Outcome outcome = Outcome::kRefused;
  std::string refusal_reason;
  std::vector<Attempt> trace;  // without tokens, and without what a citation says of its document
};

// Throws as rule_again does (ruled_answer.h).
RecordedAnswer read_records(const std::vector<LogEntry>& records);

}  // namespace openbook::guard
