// The cell of a table that a citation quotes, as a reader would name it.
#pragma once

#include <string>

#include "openbook/base/passage.h"

namespace openbook::guard {

// "Merlin XL / Weight"; empty when no table holds `source`, bytes of the document that lie inside the passage. The column heads
// of a table that was cut are those of the passage's context. Thread-safe.
std::string cited_cell(const Passage& passage, ByteSpan source);

}  // namespace openbook::guard
