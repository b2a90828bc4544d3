#include "openbook/attribution/head_atlas.h"

#include "atlas_json.h"
#include "json/parse_json.h"
#include "json_fields.h"
#include "openbook/base/error.h"
#include "openbook/base/file.h"
#include "openbook/base/hash.h"

namespace openbook::attribution {
namespace {

using nlohmann::json;

constexpr char kFormat[] = "openbook head atlas";
constexpr uint64_t kMaxFileBytes = uint64_t{64} << 20;

// Keys in order, no space, shortest numbers: the same content always gives the same bytes.
std::string canonical(const json& content) {
  try {
    return content.dump();
  } catch (const json::exception& error) {
    throw Error(Code::kInvalidArgument, std::string("atlas: a text is not valid UTF-8: ") + error.what());
  }
}

}  // namespace

void SteeringDose::put_in_force(int64_t from_position, std::vector<TokenRange> keys, engine::HeadEdits& edits) const {
  edits.from_position = from_position;
  edits.set_biased_keys(std::move(keys));
  for (const engine::HeadId head : retrieval_heads) edits.set_bias(head, bias);
  for (const engine::HeadId head : parametric_heads) edits.set_gain(head, gain);
}

HeadAtlas HeadAtlas::load(const std::filesystem::path& file) {
  const std::string where = "atlas " + file.string();
  const json whole = parse_json(read_file(file, kMaxFileBytes), where);
  JsonFields fields(whole, where);
  if (fields.text("format") != kFormat)
    fields.refuse("format", "expected \"" + std::string(kFormat) + "\"; this is another kind of file");
  const int64_t version = fields.integer("version", 0, std::numeric_limits<int32_t>::max());
  if (version != kVersion)
    throw Error(Code::kUnimplemented,
                where + ": version " + std::to_string(version) + ", this openbook reads version " + std::to_string(kVersion),
                "Build the atlas again with `openbook atlas build`.");
  const std::string expected = fields.text("sha256");
  const json& content = fields.value("content");
  fields.nothing_else();
  const std::string found = sha256_hex(canonical(content));
  if (found != expected)
    throw Error(Code::kDataLoss,
                where + ": the content's SHA-256 is " + found + ", the file says " + expected + "; it was changed or damaged",
                "Restore the file, or build the atlas again with `openbook atlas build`.");
  return from_json(content, where);
}

void HeadAtlas::save(const std::filesystem::path& file) const {
  const json content = to_json(*this);
  from_json(parse_json(canonical(content), "atlas"), "atlas");  // what can't be loaded is not written
  // One line a field: long, but a change of one is seen as one.
  std::string text = "{\n\"format\": " + json(kFormat).dump() + ",\n\"version\": " + std::to_string(kVersion) +
                     ",\n\"sha256\": " + json(sha256_hex(canonical(content))).dump() + ",\n\"content\": {";
  std::string separator = "\n";
  for (const auto& [key, value] : content.items()) {
    text += separator + json(key).dump() + ": " + value.dump();
    separator = ",\n";
  }
  write_file_atomically(file, text + "\n}\n}\n");
}

std::string HeadAtlas::fingerprint() const { return sha256_hex(canonical(to_json(*this))); }

void HeadAtlas::require_model(const engine::Model& model) const {
  if (model.fingerprint() != model_fingerprint)
    throw Error(Code::kFailedPrecondition,
                "the atlas was made for model " + model_name + " (" + model_fingerprint + "), not for " +
                    model.folder().string() + " (" + model.fingerprint() + ")",
                "Give the model that the atlas belongs to, or build one for this model with `openbook atlas build`.");
  if (model.config().layers != layers || model.config().heads != heads)
    throw Error(Code::kFailedPrecondition, "the atlas describes " + std::to_string(layers) + " layers of " +
                                               std::to_string(heads) + " heads, the model has " +
                                               std::to_string(model.config().layers) + " of " +
                                               std::to_string(model.config().heads));
}

}  // namespace openbook::attribution
