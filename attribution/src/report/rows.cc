#include "report/rows.h"

#include "json/parse_json.h"
#include "openbook/base/error.h"
#include "openbook/base/file.h"

namespace openbook::attribution {
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

std::string fault_of_row(const Json& row, const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    if (!row.contains(field.name)) {
      if (field.optional) continue;
      return "no field \"" + field.name + "\"";
    }
    if (const std::string wrong = fault_of_field(row, field); !wrong.empty()) return "\"" + field.name + "\" " + wrong;
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

std::vector<Json> read_rows(const std::filesystem::path& file, const std::vector<Field>& fields,
                            const std::function<std::string(const Json& row)>& more) {
  const std::string text = read_file(file);
  std::vector<nlohmann::json> rows;
  int64_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.find_first_not_of(" \r") == std::string::npos) continue;
    const std::string where = file.string() + ": line " + std::to_string(number);
    nlohmann::json row = parse_json(line, where);
    if (!row.is_object())
      throw Error(Code::kInvalidArgument, where + ": not a JSON object", "The file must be JSON Lines, one object a line.");
    std::string wrong = fault_of_row(row, fields);
    if (wrong.empty() && more) wrong = more(row);
    if (!wrong.empty()) throw Error(Code::kInvalidArgument, where + ": " + wrong, "Is it the file for this evaluation?");
    rows.push_back(std::move(row));
  }
  if (rows.empty()) throw Error(Code::kInvalidArgument, file.string() + ": holds no rows");
  return rows;
}

}  // namespace openbook::attribution
