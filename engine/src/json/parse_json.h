// The one place where JSON of files is parsed: whatever a file holds, it neither exhausts the stack nor escapes as an exception
// of the JSON library.
//
//   const nlohmann::json config = parse_json(read_file(path), path.string());
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace openbook {

// Copying, comparing and printing a value recurse once a level. Real files nest about 8 levels deep.
constexpr int kDeepestJson = 32;

// Throws invalid_argument, beginning with `where` (the file, or the file and the line): the text is not JSON, is nested deeper
// than kDeepestJson levels, or holds a number that is too large, which is named with its field. `each_key` is called with every
// key and its depth (1: of the outermost object) and may throw to refuse it. Json is nlohmann::json or nlohmann::ordered_json.
template <typename Json = nlohmann::json>
Json parse_json(std::string_view text, const std::string& where,
                const std::function<void(int depth, const std::string& key)>& each_key = {});

}  // namespace openbook
