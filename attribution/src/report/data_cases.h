// Rows of the public evaluation data and lives of people who never lived as cases: a question, passages and two possible answers,
// one for each setting.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "openbook/attribution/contrast_set.h"
#include "report/biographies.h"

namespace openbook::attribution {

struct DataCase : ContrastCase {  // `fact` is the row
  std::string subject;            // cases of one subject are not independent
  std::string kind;               // of the answer: its relation, type or fact; empty where the source knows none
  std::vector<ByteSpan> gold;     // of document_answer in the own document, whose id is the subject
};

// The rows of the public files, checked as read_rows() does; it throws what that throws.
struct ConflictRows {
  std::vector<nlohmann::json> strict;  // whose document and subject do not name the memory answer: it can't be copied
  int64_t left_out = 0;                // the others
};
ConflictRows conflict_rows(const std::filesystem::path& file);
std::vector<nlohmann::json> swap_rows(const std::filesystem::path& file);
std::vector<nlohmann::json> reading_rows(const std::filesystem::path& file);  // read.jsonl, read.es.jsonl, ...

// A row of conflict.jsonl. Nothing when the setting cannot be made of it (every sentence holds the answer; no other subject's
// document is free of both answers).
std::optional<DataCase> make_conflict_case(const std::vector<nlohmann::json>& rows, size_t row, Setting setting);

// A row of swap.jsonl (an entity was exchanged in an encyclopedia passage), in `own`, `silent` or `closed`.
std::optional<DataCase> make_swap_case(const std::vector<nlohmann::json>& rows, size_t row, Setting setting);

// A row of read.jsonl (plain reading: the document says what is true), in `own` or `silent`. There is no memory answer: what
// stays when the source is replaced was recited.
std::optional<DataCase> make_read_case(const std::vector<nlohmann::json>& rows, size_t row, Setting setting);

// A fact of a life that never was, each life another one in turn, in `own`, `silent` or `closed`. There is no memory answer: what
// a model says without the document, it made up.
std::optional<DataCase> make_biography_case(const std::vector<Biography>& lives, size_t life, Setting setting);

// The answer that a model made up about such a person: in the first sentence of what it said, the first run of words that neither
// the question nor the language's own sentences about facts hold. Empty where there is none, the run is
// too long for one, or the model says that it doesn't know.
std::string made_up_answer(const std::string& said, const std::string& question, const BiographyLanguage& language);

// The passages with every occurrence of `words` replaced.
std::vector<Passage> with_replaced(std::vector<Passage> passages, const std::string& words, const std::string& replacement);

}  // namespace openbook::attribution
