// Where in a table something stands, as a reader would say it.
#pragma once

#include <string>
#include <string_view>

#include "openbook/base/span.h"

namespace openbook {

// The row head (its first cell) and the column heads of the cells that `range` of `text` lies in: "Merlin XL / Weight",
// "Merlin XL / Power, Weight"; of a row head itself the head of its column. Marks of emphasis and code are left out. `columns`
// ("Model | Power | Weight"; other lines name none) are the heads of a table whose header stands above the text (context_above);
// may be empty. Empty when no row of a table holds the range's first byte.
std::string table_place(std::string_view text, ByteSpan range, std::string_view columns = {});

}  // namespace openbook
