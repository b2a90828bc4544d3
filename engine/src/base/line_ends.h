// Where a line ends: at LF, CR LF, or a lone CR (old Macintosh files, some exports).
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace openbook {

struct LineEnd {
  size_t at;    // one past the line's last byte
  size_t next;  // where the next line begins
};

inline LineEnd line_end(std::string_view text, size_t begin) {
  const size_t at = std::min(text.find_first_of("\n\r", begin), text.size());
  const bool two = text.substr(at).starts_with("\r\n");
  return {at, std::min(at + (two ? 2 : 1), text.size())};
}

}  // namespace openbook
