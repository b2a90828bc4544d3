// Which CSS of a style attribute leaves nothing for a reader to see.
#pragma once

#include <string_view>

namespace openbook {

// Why nothing is seen ("display:none"), or null. Knows what one attribute says, not style sheets.
const char* hiding_style(std::string_view style);

}  // namespace openbook
