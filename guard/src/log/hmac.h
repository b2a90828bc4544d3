// HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869) through OpenSSL, random bytes, and bytes that wipe themselves.
//
// Thread-safe. Throws internal when OpenSSL refuses, which it does only without memory or without a source of randomness.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace openbook::provenance {

using Mac = std::array<uint8_t, 32>;

// 32 secret bytes, wiped when they go. Can't be copied, so that there is one place to wipe.
class Secret {
 public:
  static constexpr size_t kBytes = 32;

  Secret() = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&&) = delete;
  ~Secret();

  std::span<uint8_t, kBytes> bytes() { return bytes_; }
  std::span<const uint8_t, kBytes> bytes() const { return bytes_; }

 private:
  std::array<uint8_t, kBytes> bytes_{};
};

void wipe(std::span<uint8_t> bytes);
inline void wipe(std::string& text) { wipe(std::span(reinterpret_cast<uint8_t*>(text.data()), text.size())); }

Mac hmac_sha256(std::span<const uint8_t> key, std::string_view message);
void hkdf_sha256(std::span<const uint8_t> input, std::string_view salt, std::string_view info, std::span<uint8_t> output);
void fill_random(std::span<uint8_t> bytes);

// Takes the same time wherever they differ, so that nobody can guess a MAC byte by byte.
bool same(const Mac& left, const Mac& right);

std::string hex(std::span<const uint8_t> bytes);  // lower case
// False unless `text` is exactly the lower-case hex of bytes.size() bytes.
bool unhex(std::string_view text, std::span<uint8_t> bytes);

}  // namespace openbook::provenance
