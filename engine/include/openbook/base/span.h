// Half-open ranges. A byte range and a token range are different types, so that one is never taken for the other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace openbook {

template <typename Tag>
struct Range {
  int64_t begin = 0;
  int64_t end = 0;  // one past the last

  int64_t size() const { return end - begin; }
  bool empty() const { return end <= begin; }
  bool contains(int64_t position) const { return begin <= position && position < end; }
  bool overlaps(const Range& other) const { return begin < other.end && other.begin < end; }
  bool operator==(const Range&) const = default;
};

using ByteSpan = Range<struct ByteTag>;     // UTF-8 bytes of a text or a stored document
using TokenRange = Range<struct TokenTag>;  // positions in a prompt

// The bytes of `range`, which must lie inside `text`.
inline std::string_view slice(std::string_view text, ByteSpan range) {
  return text.substr(static_cast<size_t>(range.begin), static_cast<size_t>(range.size()));
}

}  // namespace openbook
