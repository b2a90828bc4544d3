#include "openbook/base/cancellation.h"

#include <algorithm>
#include <string>

namespace openbook {

Cancellation::Cancellation(const Cancellation* parent, std::chrono::milliseconds limit) : parent_(parent), limit_(limit) {
  if (limit.count() <= 0) return;
  const Clock::time_point now = Clock::now();
  // A limit past the end of the clock would wrap round into the past.
  const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::time_point::max() - now);
  deadline_ = now + std::min(limit, longest);
}

void Cancellation::check() const {
  if (cancelled_.load(std::memory_order_relaxed)) throw Error(Code::kCancelled, "stopped on request");
  if (parent_ != nullptr) parent_->check();
  if (deadline_ && Clock::now() >= *deadline_)
    throw Error(Code::kDeadlineExceeded, "the answer took longer than " + std::to_string(limit_.count()) + " ms",
                "Allow more time, or fewer tokens or passages.");
}

}  // namespace openbook
