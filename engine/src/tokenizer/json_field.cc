#include "tokenizer/json_field.h"

namespace openbook::engine {

JsonField::JsonField(const nlohmann::json& value, const JsonField& parent, std::string_view step)
    : value_(&value), file_(parent.file_), path_(parent.path_ + std::string(step)) {
  if (path_.starts_with('.')) path_.erase(0, 1);
}

std::string JsonField::where() const { return file_ + ": " + (path_.empty() ? "" : path_ + ": "); }

void JsonField::malformed(const std::string& what) const {
  throw Error(Code::kInvalidArgument, where() + what, "Fetch the file again, or use the one that belongs to the model.");
}

void JsonField::unsupported(const std::string& what) const {
  throw Error(Code::kUnimplemented, where() + what + " is not supported", "Use a model with another tokenizer.");
}

JsonField JsonField::at(std::string_view key) const {
  const auto& fields = object();
  const auto found = fields.find(key);
  if (found == fields.end()) malformed("has no field \"" + std::string(key) + '"');
  return {*found, *this, std::string(".").append(key)};
}

std::optional<JsonField> JsonField::find(std::string_view key) const {
  const auto& fields = object();
  const auto found = fields.find(key);
  if (found == fields.end() || found->is_null()) return std::nullopt;
  return JsonField(*found, *this, std::string(".").append(key));
}

std::vector<JsonField> JsonField::items() const {
  std::vector<JsonField> fields;
  for (const auto& value : array()) {
    std::string step("[");
    step.append(std::to_string(fields.size())).push_back(']');
    fields.push_back({value, *this, step});
  }
  return fields;
}

std::string JsonField::text() const {
  if (!value_->is_string()) malformed(std::string("expected a string, found ") + value_->type_name());
  return value_->get<std::string>();
}

std::string JsonField::text(std::string_view key, std::string_view otherwise) const {
  const auto field = find(key);
  return field ? field->text() : std::string(otherwise);
}

bool JsonField::flag(std::string_view key, bool otherwise) const {
  const auto field = find(key);
  if (!field) return otherwise;
  if (!field->value_->is_boolean()) field->malformed(std::string("expected true or false, found ") + field->value_->type_name());
  return field->value_->get<bool>();
}

int64_t JsonField::integer() const {
  if (!value_->is_number_integer()) malformed(std::string("expected an integer, found ") + value_->type_name());
  return value_->get<int64_t>();
}

const nlohmann::json& JsonField::object() const {
  if (!value_->is_object()) malformed(std::string("expected an object, found ") + value_->type_name());
  return *value_;
}

const nlohmann::json& JsonField::array() const {
  if (!value_->is_array()) malformed(std::string("expected an array, found ") + value_->type_name());
  return *value_;
}

}  // namespace openbook::engine
