// SHA-256, as everything on disk uses it: documents, fingerprints, checksums.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace openbook {

using Sha256Digest = std::array<uint8_t, 32>;

Sha256Digest sha256(std::string_view bytes);
std::string to_hex(const Sha256Digest& digest);  // lower case, 64 characters
std::string sha256_hex(std::string_view bytes);

// For what comes in pieces. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view bytes);
  Sha256Digest finish();  // once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace openbook
