// [label]: destination "title", which defines a link and is not shown.
#pragma once

#include <cstddef>
#include <string_view>

namespace openbook {

// One past the definition that begins at `at`, before `end`, without the line end behind it; `at` when none begins there.
size_t link_definition_end(std::string_view text, size_t at, size_t end);

}  // namespace openbook
