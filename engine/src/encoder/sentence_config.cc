#include "encoder/sentence_config.h"

#include "json/parse_json.h"
#include "openbook/base/error.h"
#include "openbook/base/file.h"
#include "weights/json_fields.h"

namespace openbook::engine {
namespace {

namespace fs = std::filesystem;

// sentence-transformers lists its steps here; what it lists beyond encoder, pooling and length 1 would change the vectors.
void require_known_steps(const fs::path& path) {
  if (!is_there(path)) return;
  const nlohmann::json steps = parse_json(read_file(path, 1 << 20), path.string());
  if (!steps.is_array()) throw Error(Code::kInvalidArgument, path.string() + ": is not a JSON list");
  for (size_t i = 0; i < steps.size(); ++i) {
    const JsonFields step(steps[i], path.string() + ": [" + std::to_string(i) + "]");
    const std::string type = step.text("type");
    const std::string name = type.substr(type.rfind('.') + 1);
    if (name != "Transformer" && name != "Pooling" && name != "Normalize")
      step.fail("step \"" + type + "\" is not supported; supported: Transformer, Pooling, Normalize", Code::kUnimplemented);
  }
}

}  // namespace

void require_mean_pooling(const fs::path& folder, int64_t d_model) {
  require_known_steps(folder / "modules.json");
  const JsonFields pooling = JsonFields::read(folder / "1_Pooling" / "config.json");
  if (pooling.has("word_embedding_dimension") && pooling.integer("word_embedding_dimension", 1, INT32_MAX) != d_model)
    pooling.fail("word_embedding_dimension is not the hidden_size of " + std::to_string(d_model) + " in config.json");
  for (const char* mode : {"pooling_mode_cls_token", "pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens",
                           "pooling_mode_weightedmean_tokens", "pooling_mode_lasttoken"})
    if (pooling.boolean_or(mode, false))
      pooling.fail(std::string(mode) + " is not supported; supported: pooling_mode_mean_tokens", Code::kUnimplemented);
  if (!pooling.boolean_or("pooling_mode_mean_tokens", false)) pooling.fail("pooling_mode_mean_tokens should be true");
}

int64_t read_max_sequence(const fs::path& folder, int64_t max_positions) {
  const fs::path path = folder / "sentence_bert_config.json";
  if (!is_there(path)) return max_positions;
  const JsonFields json = JsonFields::read(path);
  if (json.boolean_or("do_lower_case", false)) json.fail("do_lower_case is not supported", Code::kUnimplemented);
  return json.integer_or("max_seq_length", 3, max_positions, max_positions);
}

}  // namespace openbook::engine
