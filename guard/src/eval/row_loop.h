// The loop that every evaluation of rows runs: several at a time, progress told, and each row handed over once it is done.
#pragma once

#include <functional>
#include <string>

#include "eval/eval.h"

namespace openbook::guard {

// Calls work(i) for i in [0, rows) on options.workers threads. What it returns goes to options.each_row at once, one row at a
// time and whichever is done first, so that a run which is stopped keeps what it did; null: this row has nothing to say. Throws
// cancelled and what `work` or each_row throws; no row is begun after that.
void for_each_row(const EvalOptions& options, const std::string& stage, size_t rows,
                  const std::function<nlohmann::ordered_json(size_t row)>& work);

}  // namespace openbook::guard
