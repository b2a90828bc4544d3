// Rows of the public evaluation data as cases: a question, passages and two possible answers, one for each setting.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "openbook/attribution/contrast_set.h"

namespace openbook::attribution {

struct DataCase : ContrastCase {  // `fact` is the row
  std::string subject;            // cases of one subject are not independent
  std::vector<ByteSpan> gold;     // of document_answer in the own document, whose id is the subject
};

// A row of conflict.jsonl. Nothing when the setting cannot be made of it (every sentence holds the answer; no other subject's
// document is free of both answers).
std::optional<DataCase> make_conflict_case(const std::vector<nlohmann::json>& rows, size_t row, Setting setting);

// A row of swap.jsonl (an entity was exchanged in an encyclopedia passage), in `own`, `silent` or `closed`.
std::optional<DataCase> make_swap_case(const std::vector<nlohmann::json>& rows, size_t row, Setting setting);

// A row of read.jsonl (plain reading: the document says what is true), in `own` or `silent`. There is no memory answer: what
// stays when the source is replaced was recited.
std::optional<DataCase> make_read_case(const std::vector<nlohmann::json>& rows, size_t row, Setting setting);

// The passages with every occurrence of `words` replaced.
std::vector<Passage> with_replaced(std::vector<Passage> passages, const std::string& words, const std::string& replacement);

}  // namespace openbook::attribution
