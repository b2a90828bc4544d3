// The date, as files that say when they were made have it.
#pragma once

#include <string>

namespace openbook::attribution {

std::string date_now();  // UTC, "2025-01-31T12:00:00Z"

}  // namespace openbook::attribution
