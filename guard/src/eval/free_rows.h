// Answers that others wrote over given passages, with human labels of the spans that the passages do not support: rows of
// ragtruth_qa.jsonl (RAGTruth, Niu et al. 2024, its question-answering part).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "openbook/base/passage.h"

namespace openbook::guard {

struct UnsupportedSpan {
  ByteSpan bytes;    // of the answer
  std::string type;  // Evident or Subtle, Baseless Info or Conflict
};

struct FreeAnswer {
  std::string id, source_id, model;  // of one source_id several models answered: such rows are not independent
  std::string question, answer;
  std::vector<Passage> passages;
  std::vector<UnsupportedSpan> labels;
};

struct FreeAnswers {
  std::vector<FreeAnswer> kept;
  std::map<std::string, int64_t> left_out;  // "split train", "quality truncated", ...
};

// Keeps rows of quality "good" in `split` ("test", "train" or "all"). Throws not_found; invalid_argument naming the line and what
// is wrong with it (a field of another type, an empty question or answer, a label outside its answer or with another text), or
// when nothing is kept.
FreeAnswers read_free_answers(const std::filesystem::path& file, const std::string& split);

}  // namespace openbook::guard
