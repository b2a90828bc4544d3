#include "eval/row_loop.h"

#include <mutex>

#include "openbook/base/parallel.h"

namespace openbook::guard {

void for_each_row(const EvalOptions& options, const std::string& stage, size_t rows,
                  const std::function<nlohmann::ordered_json(size_t row)>& work) {
  const auto count = static_cast<int64_t>(rows);
  std::mutex mutex;
  int64_t done = 0;
  for_each_index(count, options.workers, [&](int64_t i) {
    if (options.cancellation) options.cancellation->check();
    const nlohmann::ordered_json row = work(static_cast<size_t>(i));
    const std::lock_guard lock(mutex);
    if (options.each_row && !row.is_null()) options.each_row(row);
    if (options.progress) options.progress(stage, ++done, count);
  });
}

}  // namespace openbook::guard
