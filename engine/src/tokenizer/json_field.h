// A value of a JSON file together with where it stands, so that every complaint names file and field.
//
//   const JsonField model = root.at("model");
//   if (model.text("type") != "BPE") model.at("type").refuse("model type");   // "t.json: model.type: ..."
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/error.h"

namespace openbook::engine {

class JsonField {
 public:
  JsonField(const nlohmann::json& value, std::string file) : value_(&value), file_(std::move(file)) {}  // `value` must outlive it

  JsonField at(std::string_view key) const;                   // a field that must be there
  std::optional<JsonField> find(std::string_view key) const;  // nothing when absent or null
  std::vector<JsonField> items() const;                       // of an array

  std::string text() const;
  std::string text(std::string_view key) const { return at(key).text(); }
  std::string text(std::string_view key, std::string_view otherwise) const;
  bool flag(std::string_view key, bool otherwise) const;
  int64_t integer() const;
  int64_t integer(std::string_view key) const { return at(key).integer(); }

  const nlohmann::json& json() const { return *value_; }
  const nlohmann::json& object() const;  // checked to be one
  const nlohmann::json& array() const;

  [[noreturn]] void malformed(const std::string& what) const;    // invalid_argument
  [[noreturn]] void unsupported(const std::string& what) const;  // unimplemented

 private:
  JsonField(const nlohmann::json& value, const JsonField& parent, std::string_view step);
  std::string where() const;

  const nlohmann::json* value_;
  std::string file_, path_;
};

}  // namespace openbook::engine
