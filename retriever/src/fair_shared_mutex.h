// A shared mutex whose writer comes in when the readers that were before it are done. The C++ library's lets new readers pass a
// waiting writer, so that searches without a pause would keep an ingest out for ever.
#pragma once

#include <mutex>
#include <shared_mutex>

namespace openbook::retriever {

class FairSharedMutex {
 public:
  void lock() {
    const std::lock_guard queue(turnstile_);
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }
  void lock_shared() {
    const std::lock_guard queue(turnstile_);
    mutex_.lock_shared();
  }
  void unlock_shared() { mutex_.unlock_shared(); }

 private:
  std::mutex turnstile_;
  std::shared_mutex mutex_;
};

}  // namespace openbook::retriever
