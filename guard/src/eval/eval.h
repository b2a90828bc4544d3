// Evaluations on data that nobody trained on: each runs the very path of Guard::ask on the rows of a file and returns one JSON
// object.
//
// Rows are independent and run on several threads where the device gains by it; results do not depend on how many, only the order
// in which each_row gets them does. Throws not_found and invalid_argument naming file, line and field; cancelled; what each_row
// throws.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "openbook/attribution/contrast_set.h"
#include "openbook/base/cancellation.h"
#include "openbook/base/embedder.h"
#include "openbook/guard/guard.h"

namespace openbook::guard {

struct EvalOptions {
  bool guarded = true;  // false: only the unguarded figures
  int64_t limit = 0;    // subjects (conflict) or rows (others), drawn by `seed`; 0: all
  uint64_t seed = 1;
  int64_t workers = 1;  // rows at a time
  std::function<void(const std::string& stage, int64_t done, int64_t total)> progress;
  const Cancellation* cancellation = nullptr;
  std::function<void(const nlohmann::ordered_json& row)>
      each_row;  // what was said and decided of a row, once it is done and one at a time; empty: not asked for
};

// Documents that contradict memory, in the given settings (all when empty). Rows with memory_spans or memory_in_subject are left
// out and counted.
nlohmann::ordered_json eval_conflict(const Guard& guard, const std::filesystem::path& file,
                                     const std::vector<attribution::Setting>& settings, const EvalOptions& options);

// Plain reading: does the guard let right answers through?
nlohmann::ordered_json eval_read(const Guard& guard, const std::filesystem::path& file, const EvalOptions& options);

// Questions that their passage answers, and questions that it does not.
nlohmann::ordered_json eval_unanswerable(const Guard& guard, const std::filesystem::path& file, const EvalOptions& options);

// Answers that other models wrote, read token by token: what of them do the passages not support? Scored against what people
// marked (docs/free-answers.md). Rows of another `split` ("test", "train", "all") or of a quality that is not good are left out
// and counted.
nlohmann::ordered_json eval_free_answers(const Guard& guard, const std::filesystem::path& file, const EvalOptions& options,
                                         const std::string& split = "test");

// Is a right document among the first five distinct ones? `file` holds questions, docs/chunks.jsonl and docs/ beside it the
// documents.
nlohmann::ordered_json eval_retrieval(std::shared_ptr<const Embedder> embedder, const std::filesystem::path& file,
                                      const EvalOptions& options);

}  // namespace openbook::guard
