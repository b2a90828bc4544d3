#include "json_fields.h"

#include <algorithm>
#include <cmath>

#include "openbook/base/error.h"
#include "openbook/base/utf8.h"

namespace openbook::attribution {
namespace {

using nlohmann::json;

std::string shown(double number) { return json(number).dump(); }

// The number, or NaN when it isn't one in [low, high].
double in_range(const json& value, double low, double high) {
  if (!value.is_number()) return NAN;
  const double number = value.get<double>();
  return number >= low && number <= high ? number : NAN;
}

}  // namespace

JsonFields::JsonFields(const json& object, std::string where) : object_(object), where_(std::move(where)) {
  if (!object_.is_object()) throw Error(Code::kInvalidArgument, where_ + ": expected an object, found " + object_.type_name());
}

void JsonFields::refuse(std::string_view key, const std::string& problem) const {
  throw Error(Code::kInvalidArgument, path(key) + ": " + problem);
}

const json& JsonFields::value(std::string_view key) {
  const auto found = object_.find(key);
  if (found == object_.end()) refuse(key, "missing");
  read_.emplace(key);
  return *found;
}

const json& JsonFields::array(std::string_view key) {
  const json& list = value(key);
  if (!list.is_array()) refuse(key, std::string("expected a list, found ") + list.type_name());
  return list;
}

std::string JsonFields::text(std::string_view key) {
  const json& text = value(key);
  if (!text.is_string()) refuse(key, std::string("expected a text, found ") + text.type_name());
  return text.get<std::string>();
}

int64_t JsonFields::integer(std::string_view key, int64_t low, int64_t high) {
  const json& number = value(key);
  const bool fits = number.is_number_unsigned() ? number.get<uint64_t>() <= uint64_t(std::numeric_limits<int64_t>::max())
                                                : number.is_number_integer();
  if (!fits || number.get<int64_t>() < low || number.get<int64_t>() > high)
    refuse(key, "expected a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  return number.get<int64_t>();
}

double JsonFields::number(std::string_view key, double low, double high) {
  const double number = in_range(value(key), low, high);
  if (std::isnan(number)) refuse(key, "expected a number from " + shown(low) + " to " + shown(high));
  return number;
}

float JsonFields::single(std::string_view key, float low, float high) { return float(number(key, low, high)); }

double JsonFields::number_or_nan(std::string_view key, double low, double high) {
  return value(key).is_null() ? NAN : number(key, low, high);
}

std::vector<double> JsonFields::numbers(std::string_view key, int64_t count) {
  const json& list = array(key);
  if (int64_t(list.size()) != count) refuse(key, std::to_string(list.size()) + " numbers, expected " + std::to_string(count));
  std::vector<double> numbers;
  for (const json& element : list) {
    numbers.push_back(in_range(element, -std::numeric_limits<double>::max(), std::numeric_limits<double>::max()));
    if (std::isnan(numbers.back())) refuse(key, "element " + std::to_string(numbers.size() - 1) + " is not a finite number");
  }
  return numbers;
}

std::vector<float> JsonFields::singles(std::string_view key, int64_t count, float low) {
  std::vector<float> singles;
  for (const double number : numbers(key, count)) {
    if (number < low || std::abs(number) > std::numeric_limits<float>::max())
      refuse(key, "element " + std::to_string(singles.size()) + " is " + shown(number) + ", expected " + shown(low) +
                      " or more, as a float32");
    singles.push_back(float(number));
  }
  return singles;
}

engine::HeadId JsonFields::head_named(std::string_view key, const std::string& name) const {
  try {
    return engine::parse_head_id(name);
  } catch (const Error& error) {
    refuse(key, error.what());
  }
}

std::vector<engine::HeadId> JsonFields::heads(std::string_view key, int64_t layers, int64_t heads) {
  std::vector<engine::HeadId> list;
  std::set<engine::HeadId> seen;
  for (const json& element : array(key)) {
    if (!element.is_string()) refuse(key, "expected heads like \"L18H6\"");
    const engine::HeadId head = head_named(key, element.get_ref<const std::string&>());
    if (head.layer >= layers || head.head >= heads)
      refuse(key, engine::to_string(head) + " is not in a model of " + std::to_string(layers) + " layers and " +
                      std::to_string(heads) + " heads");
    if (!seen.insert(head).second) refuse(key, engine::to_string(head) + " stands twice");
    list.push_back(head);
  }
  return list;
}

void JsonFields::nothing_else() const {
  for (const auto& [key, ignored] : object_.items())
    if (!read_.contains(key)) refuse(escape_for_terminal(std::string_view(key).substr(0, 60)), "unknown key");
}

}  // namespace openbook::attribution
