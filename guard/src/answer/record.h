// What the provenance log keeps of an answer, as JSON: everything that is needed to judge it again without the model.
#pragma once

#include <string>
#include <string_view>

#include "openbook/guard/answer.h"
#include "openbook/guard/policy.h"

namespace openbook::guard {

inline constexpr int kRecordVersion = 2;  // of the layout: docs/provenance-log.md says what each one has

// Before decoding: question, passages with hashes and ranges, fingerprints of model, atlas and policy, the policy's whole text,
// index generation.
std::string begin_record(std::string_view question, const Policy& policy, const Answer& answer);

// The answer's newest sentence: text, delivery, tokens with evidence and edits in force, words with verdicts, claims, citations.
std::string sentence_record(const Answer& answer);

// What was delivered in the end, why not if not, and everything that was tried, with its tokens and its whole judgement.
std::string end_record(const Answer& answer);

}  // namespace openbook::guard
