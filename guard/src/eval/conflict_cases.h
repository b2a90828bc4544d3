// Rows of the conflict data as questions with passages, one for each setting.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "openbook/attribution/contrast_set.h"
#include "openbook/base/passage.h"
#include "openbook/guard/guard.h"

namespace openbook::guard {

struct ConflictCase {
  std::string subject;
  std::string question;              // the cloze in `bare`
  std::vector<Passage> passages;
  std::string document_answer, memory_answer;
  std::string replacement;           // another row's document answer: what the source string is replaced by to label by cause
  std::vector<ByteSpan> gold;        // of document_answer in the own document
  PromptForm form = PromptForm::kChat;
};

// Nothing when the setting cannot be made of the row (every sentence holds the answer; no other subject's document is free of both answers).
std::optional<ConflictCase> make_conflict_case(const std::vector<nlohmann::json>& rows, size_t row, attribution::Setting setting);

// The passages with every occurrence of `words` replaced.
std::vector<Passage> with_replaced(std::vector<Passage> passages, const std::string& words, const std::string& replacement);

}  // namespace openbook::guard
