// Names as readers see them: the JSON says in_context and birth_date, the page "in-context heads" and "birth date".
#pragma once

#include <string>

namespace openbook::attribution {

// Of a whole cell or legend entry; whatever is no raw name comes back as it is.
std::string readable(const std::string& name);

}  // namespace openbook::attribution
