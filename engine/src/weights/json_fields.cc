#include "weights/json_fields.h"

#include <sstream>

#include "json/parse_json.h"
#include "openbook/base/file.h"

namespace openbook::engine {
namespace {

constexpr uint64_t kMaxFileBytes = 16 << 20;

std::string shown(double value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

}  // namespace

JsonFields::JsonFields(nlohmann::json value, std::string where) : value_(std::move(value)), where_(std::move(where)) {
  if (!value_.is_object()) fail("is not a JSON object");
}

JsonFields JsonFields::read(const std::filesystem::path& path) {
  return {parse_json(read_file(path, kMaxFileBytes), path.string()), path.string()};
}

bool JsonFields::has(const std::string& key) const { return value_.contains(key) && !value_[key].is_null(); }

bool JsonFields::names(const std::string& key) const { return value_.contains(key); }

const nlohmann::json& JsonFields::at(const std::string& key) const {
  if (!has(key)) fail("\"" + key + "\" is missing");
  return value_[key];
}

JsonFields JsonFields::object(const std::string& key) const { return {at(key), where_ + ": " + key}; }

int64_t JsonFields::integer(const std::string& key, int64_t min, int64_t max) const {
  const nlohmann::json& value = at(key);
  const std::string expected = "an integer from " + std::to_string(min) + " to " + std::to_string(max);
  // An unsigned value above the signed range would wrap.
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{INT64_MAX}))
    fail_field(key, expected);
  const auto number = value.get<int64_t>();
  if (number < min || number > max) fail_field(key, expected);
  return number;
}

double JsonFields::number(const std::string& key, double min, double max) const {
  const nlohmann::json& value = at(key);
  const std::string expected = "a number above " + shown(min) + " and at most " + shown(max);
  if (!value.is_number()) fail_field(key, expected);
  const auto number = value.get<double>();
  if (!(number > min && number <= max)) fail_field(key, expected);
  return number;
}

std::string JsonFields::text(const std::string& key) const {
  if (!at(key).is_string()) fail_field(key, "a string");
  return value_[key].get<std::string>();
}

bool JsonFields::boolean_or(const std::string& key, bool otherwise) const {
  if (!has(key)) return otherwise;
  if (!value_[key].is_boolean()) fail_field(key, "true or false");
  return value_[key].get<bool>();
}

int64_t JsonFields::integer_or(const std::string& key, int64_t min, int64_t max, int64_t otherwise) const {
  return has(key) ? integer(key, min, max) : otherwise;
}

double JsonFields::number_or(const std::string& key, double min, double max, double otherwise) const {
  return has(key) ? number(key, min, max) : otherwise;
}

void JsonFields::fail(const std::string& what, Code code) const { throw Error(code, where_ + ": " + what); }

void JsonFields::fail_field(const std::string& key, const std::string& expected) const {
  fail("\"" + key + "\" should be " + expected + ", not " + value_[key].dump(-1, ' ', true).substr(0, 80));
}

}  // namespace openbook::engine
