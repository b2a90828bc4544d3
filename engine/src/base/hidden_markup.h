// hidden_text on lines that are already told apart.
#pragma once

#include <string_view>
#include <vector>

#include "openbook/base/hidden_text.h"
#include "openbook/base/lines.h"

namespace openbook {

// `lines` are those of block_lines. Time grows with the text's length.
std::vector<HiddenText> hidden_markup(std::string_view text, const std::vector<Line>& lines);

}  // namespace openbook
