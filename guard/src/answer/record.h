// What the provenance log keeps of an answer, as JSON: everything that is needed to judge it again without the model.
#pragma once

#include <string>
#include <string_view>

#include "openbook/guard/answer.h"

namespace openbook::guard {

// Before decoding: question, passages with hashes and ranges, fingerprints of model, atlas and policy, index generation.
std::string begin_record(std::string_view question, const Answer& answer);

// The answer's newest sentence: text, delivery, tokens with evidence and edits in force, words with verdicts, claims, citations.
std::string sentence_record(const Answer& answer);

// What was delivered in the end, why not if not, and everything that was tried, with its tokens.
std::string end_record(const Answer& answer);

}  // namespace openbook::guard
