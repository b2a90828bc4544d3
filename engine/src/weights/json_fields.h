// Reads fields of an untrusted JSON object; every error names file, field, what was expected and what was found.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "openbook/base/error.h"

namespace openbook::engine {

class JsonFields {
 public:
  // `where` names file and object in messages: "models/x/config.json" or "models/x/config.json: rope_scaling".
  // Throws invalid_argument when `value` is not an object.
  JsonFields(nlohmann::json value, std::string where);

  // Throws not_found, invalid_argument (not a JSON object).
  static JsonFields read(const std::filesystem::path& path);

  bool has(const std::string& key) const;    // there and not null
  bool names(const std::string& key) const;  // there, null or not
  const nlohmann::json& at(const std::string& key) const;
  JsonFields object(const std::string& key) const;

  // Throw invalid_argument when the field is missing, of another type or outside [min, max].
  int64_t integer(const std::string& key, int64_t min, int64_t max) const;
  double number(const std::string& key, double min, double max) const;  // min < value <= max
  std::string text(const std::string& key) const;
  bool boolean_or(const std::string& key, bool otherwise) const;
  int64_t integer_or(const std::string& key, int64_t min, int64_t max, int64_t otherwise) const;
  double number_or(const std::string& key, double min, double max, double otherwise) const;

  const std::string& where() const { return where_; }
  [[noreturn]] void fail(const std::string& what, Code code = Code::kInvalidArgument) const;

 private:
  [[noreturn]] void fail_field(const std::string& key, const std::string& expected) const;

  nlohmann::json value_;
  std::string where_;
};

}  // namespace openbook::engine
