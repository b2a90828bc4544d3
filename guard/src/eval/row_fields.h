// The rows of an evaluation file, every field checked before anything is run: a bad row is refused by file, line and field.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace openbook::guard {

enum class FieldKind {
  kText,      // not blank
  kTexts,     // a list of texts, not empty
  kFlag,      // true or false
  kSpans,     // a list of {byte_start, byte_end} inside the row's "document", may be empty
  kPassages,  // a list of {title, text}, not empty
};

struct Field {
  std::string name;
  FieldKind kind = FieldKind::kText;
  bool optional = false;
};

// `more` says what else is wrong with a row whose fields are good (empty: nothing). Throws not_found; invalid_argument naming
// file, line and field.
std::vector<nlohmann::json> read_checked_rows(const std::filesystem::path& file, const std::vector<Field>& fields,
                                              const std::function<std::string(const nlohmann::json& row)>& more = {});

// What is wrong with a {byte_start, byte_end} of `text`, which messages call `what`; empty: nothing.
std::string fault_of_range(const nlohmann::json& range, const std::string& text, const std::string& what);

}  // namespace openbook::guard
