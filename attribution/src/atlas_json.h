// The content of an atlas file as JSON, and back with every field checked (docs/atlas.md).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "openbook/attribution/head_atlas.h"

namespace openbook::attribution {

nlohmann::json to_json(const HeadAtlas& atlas);

// `where` starts every message: the file. Throws invalid_argument naming the field: missing, unknown, of the wrong type or size,
// out of range, or at odds with another.
HeadAtlas from_json(const nlohmann::json& content, const std::string& where);

}  // namespace openbook::attribution
