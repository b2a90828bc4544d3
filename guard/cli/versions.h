// The versions of the parts that this program runs with.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace openbook::cli {

std::vector<std::pair<std::string, std::string>> part_versions();

}  // namespace openbook::cli
