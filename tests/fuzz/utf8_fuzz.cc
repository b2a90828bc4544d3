// UTF-8 as it comes from documents, models and terminals.
#include <optional>

#include "fuzz.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"

void openbook::fuzz::run(std::string_view input) {
  for (const std::string& shown : {escape_for_terminal(input), escape_line(input)}) {
    require(!first_invalid_utf8(shown), "what is escaped is valid UTF-8");
    for (const char byte : shown) require(static_cast<uint8_t>(byte) >= 0x20 || byte == '\n', "what is escaped holds no control");
    require(shown.find('\x7F') == std::string::npos && shown.find('\x1B') == std::string::npos, "what is escaped steers nothing");
  }
  const std::string mended = with_valid_utf8(std::string(input));
  require(!first_invalid_utf8(mended) && mended.size() == input.size(), "mended text is valid and as long");
  size_t offset = 0;
  std::string copy;
  for (const CodePoint& point : code_points(mended)) {
    require(point.offset == offset && point.length >= 1, "code points follow each other");
    append_utf8(copy, point.value);
    offset += point.length;
  }
  require(offset == mended.size() && copy == mended, "code points are the text");
  require(!first_invalid_utf8(fold_case(mended)), "folded text is valid UTF-8");
  require(incomplete_utf8_suffix(input) <= 3, "at most three bytes are incomplete");
  require_utf8(input, "input");
  require(mended == input, "valid text is not mended");
}
