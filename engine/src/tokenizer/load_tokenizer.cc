#include <filesystem>

#include "openbook/base/error.h"
#include "openbook/base/file.h"
#include "openbook/engine/tokenizer.h"
#include "tokenizer/json_tokenizer.h"
#include "tokenizer/sentencepiece_tokenizer.h"

namespace openbook::engine {
namespace {

constexpr uint64_t kLargestFile = 256 << 20;  // the largest in use, of 256,000 tokens, has 34 MB

}  // namespace

std::shared_ptr<const Tokenizer> load_tokenizer(const std::filesystem::path& model_folder) {
  const auto json = model_folder / "tokenizer.json";
  if (is_there(json)) return std::make_shared<JsonTokenizer>(read_file(json, kLargestFile), json.string());
  const auto model = model_folder / "tokenizer.model";
  if (!is_there(model))
    throw Error(Code::kNotFound, "model folder " + model_folder.string() + ": neither tokenizer.json nor tokenizer.model",
                "Give a model folder as Hugging Face lays it out.");
  const auto config = model_folder / "tokenizer_config.json";
  const std::string config_bytes = is_there(config) ? read_file(config, kLargestFile) : "";
  return std::make_shared<SentencePieceTokenizer>(read_file(model, kLargestFile), model.string(), config_bytes, config.string());
}

}  // namespace openbook::engine
