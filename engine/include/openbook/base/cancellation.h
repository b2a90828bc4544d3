// A flag that one thread (or a signal handler) raises and long work looks at between steps.
#pragma once

#include <atomic>

#include "openbook/base/error.h"

namespace openbook {

class Cancellation {
 public:
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }  // safe in a signal handler
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

  // Throws cancelled when the flag is up.
  void check() const {
    if (cancelled()) throw Error(Code::kCancelled, "stopped on request");
  }

 private:
  std::atomic<bool> cancelled_{false};
  static_assert(std::atomic<bool>::is_always_lock_free);
};

}  // namespace openbook
