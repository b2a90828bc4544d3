// Reads the fields of a JSON object that nobody vouches for: each is there, of its type and in its range, and nothing else is
// there.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/engine/head_id.h"

namespace openbook::attribution {

class JsonFields {
 public:
  // `where` names the object in messages. Every function throws invalid_argument.
  JsonFields(const nlohmann::json& object, std::string where);

  const nlohmann::json& value(std::string_view key);
  JsonFields object(std::string_view key) { return {value(key), path(key)}; }
  const nlohmann::json& array(std::string_view key);

  std::string text(std::string_view key);
  int64_t integer(std::string_view key, int64_t low, int64_t high);
  double number(std::string_view key, double low = -std::numeric_limits<double>::max(),
                double high = std::numeric_limits<double>::max());
  float single(std::string_view key, float low = -std::numeric_limits<float>::max(),
               float high = std::numeric_limits<float>::max());
  double number_or_nan(std::string_view key, double low, double high);  // null is not a number

  std::vector<double> numbers(std::string_view key, int64_t count);
  std::vector<float> singles(std::string_view key, int64_t count, float low = -std::numeric_limits<float>::max());
  std::vector<engine::HeadId> heads(std::string_view key, int64_t layers, int64_t heads);  // each inside the model, none twice

  void nothing_else() const;  // refuses the first key that was not read

  std::string path(std::string_view key) const { return where_ + "." + std::string(key); }
  [[noreturn]] void refuse(std::string_view key, const std::string& problem) const;

 private:
  engine::HeadId head_named(std::string_view key, const std::string& name) const;

  const nlohmann::json& object_;
  std::string where_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace openbook::attribution
