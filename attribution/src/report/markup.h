// Texts and numbers for the report's page: HTML that is well-formed XML too, whatever a model's tokens hold.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "report/experiment.h"

namespace openbook::attribution {

// `text` for element content and attribute values: &, <, >, " and ' are escaped; control characters, bidirectional overrides and
// what isn't UTF-8 become U+FFFD.
std::string escaped(std::string_view text);

std::string element(const std::string& name, const std::string& attributes, const std::string& content);

// Three or four digits that matter; whole numbers whole; "–" for nothing.
std::string number_text(std::optional<double> value);

// "0.983 (0.971 to 0.991), n = 412" of a statistics Estimate; less where fields are null or missing. Also takes a plain number.
std::string estimate_text(const Json& estimate);

// Fields of a part's JSON, which may be missing or of another type: then nothing, and an empty text, list or object.
std::optional<double> finite(const Json& value);
std::optional<double> number_in(const Json& object, const char* key);
std::string text_in(const Json& object, const char* key);
const Json& list_in(const Json& object, const char* key);
const Json& object_in(const Json& object, const char* key);

}  // namespace openbook::attribution
