// What stops long work early: a flag that another thread or a signal handler raises, a time limit, or both.
//
// Whoever takes a request makes one Cancellation of its own, a child of the caller's, and hands it down; long work calls check()
// between steps and leaves everything as it was when that throws. Thread-safe. A parent must outlive its children.
//
//   const Cancellation request(options.cancellation, std::chrono::milliseconds(options.deadline_ms));
//   session.append(prompt.tokens, &request);
#pragma once

#include <atomic>
#include <chrono>
#include <optional>

#include "openbook/base/error.h"

namespace openbook {

class Cancellation {
 public:
  Cancellation() = default;
  // Stops when `parent` does (null: there is none), and once `limit` has passed from now on (0: there is no limit).
  explicit Cancellation(const Cancellation* parent, std::chrono::milliseconds limit = std::chrono::milliseconds(0));

  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }  // safe in a signal handler

  // Throws cancelled when this or a parent was cancelled, and deadline_exceeded when its time or a parent's is over.
  void check() const;

 private:
  using Clock = std::chrono::steady_clock;

  std::atomic<bool> cancelled_{false};
  static_assert(std::atomic<bool>::is_always_lock_free);
  const Cancellation* parent_ = nullptr;
  std::chrono::milliseconds limit_{0};
  std::optional<Clock::time_point> deadline_;
};

}  // namespace openbook
