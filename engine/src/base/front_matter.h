// The front matter of a static site's page: YAML between --- and ---, or TOML between +++ and +++, at the very beginning.
#pragma once

#include <string>
#include <string_view>

#include "openbook/base/span.h"

namespace openbook {

// From the first mark to the end of the closing one; empty when there is none. What begins with --- but holds no "key:" is text.
ByteSpan front_matter(std::string_view text);

// The title that a front matter names; empty when it names none.
std::string front_matter_title(std::string_view front_matter);

}  // namespace openbook
