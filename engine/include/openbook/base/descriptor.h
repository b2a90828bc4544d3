// An open file of the system, closed when this goes.
#pragma once

#include <unistd.h>

#include <utility>

namespace openbook {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}  // what open() gave; negative where it failed
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace openbook
