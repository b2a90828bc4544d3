// What `openbook log rule` prints: a stored answer under another policy.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "openbook/guard/ruled_answer.h"

namespace openbook::cli {

nlohmann::ordered_json ruled_json(const RuledAnswer& ruled, const Policy& policy);
std::string ruled_text(const RuledAnswer& ruled, const Policy& policy);

}  // namespace openbook::cli
