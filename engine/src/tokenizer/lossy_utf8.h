#pragma once

#include <string>
#include <string_view>

namespace openbook::engine {

// Valid UTF-8: every maximal part of a code point that is not followed by its rest, and every byte that can't stand in
// UTF-8, becomes one U+FFFD (Unicode 14.0, section 3.9, "substitution of maximal subparts").
std::string lossy_utf8(std::string_view bytes);

}  // namespace openbook::engine
