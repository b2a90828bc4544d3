#include "eval/row_fields.h"

#include <algorithm>

#include "report/rows.h"

namespace openbook::guard {
namespace {

using Json = nlohmann::json;

std::string fault_of_text(const Json& text) {
  if (!text.is_string()) return "is not a string";
  return text.get_ref<const std::string&>().find_first_not_of(" \t\r\n") == std::string::npos ? "is empty" : "";
}

std::string fault_of_texts(const Json& texts) {
  const bool good = texts.is_array() && !texts.empty() &&
                    std::all_of(texts.begin(), texts.end(), [](const Json& text) { return text.is_string(); });
  return good ? "" : "is not a list of strings";
}

std::string fault_of_passages(const Json& passages) {
  if (!passages.is_array() || passages.empty()) return "is not a list of passages";
  for (size_t i = 0; i < passages.size(); ++i)
    for (const char* name : {"title", "text"}) {
      const std::string which = "passage " + std::to_string(i + 1);
      if (!passages[i].is_object() || !passages[i].contains(name)) return which + " has no \"" + name + "\"";
      if (const std::string wrong = fault_of_text(passages[i][name]); !wrong.empty())
        return which + ": \"" + name + "\" " + wrong;
    }
  return {};
}

std::string fault_of_spans(const Json& spans, const Json& row) {
  if (!spans.is_array()) return "is not a list of spans";
  if (spans.empty()) return {};
  if (!row.contains("document") || !row["document"].is_string()) return "has no \"document\" to point into";
  for (size_t i = 0; i < spans.size(); ++i)
    if (const std::string wrong = fault_of_range(spans[i], row["document"], "the document"); !wrong.empty())
      return "span " + std::to_string(i + 1) + ": " + wrong;
  return {};
}

std::string fault_of_field(const Json& row, const Field& field) {
  const Json& value = row[field.name];
  switch (field.kind) {
    case FieldKind::kText:
      return fault_of_text(value);
    case FieldKind::kTexts:
      return fault_of_texts(value);
    case FieldKind::kFlag:
      return value.is_boolean() ? "" : "is not true or false";
    case FieldKind::kSpans:
      return fault_of_spans(value, row);
    case FieldKind::kPassages:
      return fault_of_passages(value);
  }
  return {};
}

}  // namespace

std::string fault_of_range(const Json& range, const std::string& text, const std::string& what) {
  if (!range.is_object()) return "not an object";
  for (const char* name : {"byte_start", "byte_end"})
    if (!range.contains(name) || !range[name].is_number_unsigned())
      return std::string("\"") + name + "\" is not a number of bytes";
  const auto begin = range["byte_start"].get<uint64_t>(), end = range["byte_end"].get<uint64_t>();
  if (begin < end && end <= text.size()) return {};
  return "bytes " + std::to_string(begin) + " to " + std::to_string(end) + " are not inside " + what + " of " +
         std::to_string(text.size()) + " bytes";
}

std::vector<Json> read_checked_rows(const std::filesystem::path& file, const std::vector<Field>& fields,
                                    const std::function<std::string(const Json& row)>& more) {
  std::vector<std::string> required;
  for (const Field& field : fields)
    if (!field.optional) required.push_back(field.name);
  return attribution::read_rows(file, required, [&](const Json& row) -> std::string {
    for (const Field& field : fields) {
      if (!row.contains(field.name)) continue;
      if (const std::string wrong = fault_of_field(row, field); !wrong.empty()) return "\"" + field.name + "\" " + wrong;
    }
    return more ? more(row) : "";
  });
}

}  // namespace openbook::guard
