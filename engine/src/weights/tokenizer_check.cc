#include "weights/tokenizer_check.h"

#include <algorithm>
#include <string>
#include <vector>

#include "openbook/base/error.h"
#include "openbook/base/file.h"
#include "openbook/base/utf8.h"
#include "weights/json_fields.h"

namespace openbook::engine {
namespace {

constexpr char kHint[] = "The tokenizer belongs to another model: take all files of the folder from one model.";

// Vocabularies are padded to round sizes: Qwen 2.5's 151,665 tokens to 151,936 or 152,064, DeepSeek's 100,015 to 102,400.
constexpr int64_t kLargestPadding = 10;  // per cent

void check_size(int64_t ids, int64_t vocabulary, const std::string& folder) {
  const std::string sizes =
      folder + ": the tokenizer has " + std::to_string(ids) + " ids and the model (config.json: vocab_size) ";
  if (ids > vocabulary) throw Error(Code::kInvalidArgument, sizes + "only " + std::to_string(vocabulary), kHint);
  if ((vocabulary - ids) * 100 > vocabulary * kLargestPadding)
    throw Error(Code::kInvalidArgument, sizes + std::to_string(vocabulary) + ", more than padding explains", kHint);
}

std::vector<TokenId> special_ids(const ModelConfig& config) {
  std::vector<TokenId> ids = config.stop_ids;
  if (config.bos) ids.push_back(*config.bos);
  return ids;
}

// transformers writes a token as its text or as {"content": its text}; null is none.
std::string token_text(const JsonFields& json, const std::string& key) {
  if (!json.has(key)) return {};
  return json.at(key).is_object() ? json.object(key).text("content") : json.text(key);
}

// One that agrees is enough. Sound models disagree in the others: DeepSeek-R1-Distill-Qwen begins with what config.json calls
// another token, and Llama 3 fine-tunes end turns with a token that config.json doesn't name. Qwen's bos is its pad token.
void check_special_tokens(const Tokenizer& tokenizer, const std::vector<TokenId>& of_model, const JsonFields& json) {
  std::string named;
  for (const char* key : {"bos_token", "eos_token", "pad_token"}) {
    const std::string text = token_text(json, key);
    if (text.empty()) continue;
    const auto id = tokenizer.find(text);
    if (id && std::find(of_model.begin(), of_model.end(), *id) != of_model.end()) return;
    named += (named.empty() ? "" : ", ") + std::string(key) + " \"" + escape_line(text) + "\" is " +
             (id ? "token " + std::to_string(*id) : "not in the tokenizer");
  }
  if (named.empty()) return;
  std::string ids;
  for (const TokenId id : of_model) ids += (ids.empty() ? "" : ", ") + std::to_string(id);
  throw Error(Code::kInvalidArgument, json.where() + ": " + named + "; the model's (config.json: bos and eos) are " + ids, kHint);
}

}  // namespace

void check_tokenizer(const Tokenizer& tokenizer, const ModelConfig& config, const std::filesystem::path& folder) {
  check_size(tokenizer.vocabulary_size(), config.vocabulary, folder.string());
  const std::vector<TokenId> of_model = special_ids(config);
  for (const TokenId id : of_model)
    if (id >= tokenizer.vocabulary_size())
      throw Error(Code::kInvalidArgument,
                  folder.string() + ": the model begins or stops with token " + std::to_string(id) + " (bos or eos), and the " +
                      "tokenizer has " + std::to_string(tokenizer.vocabulary_size()) + " ids",
                  kHint);
  const std::filesystem::path path = folder / "tokenizer_config.json";
  if (!of_model.empty() && is_there(path)) check_special_tokens(tokenizer, of_model, JsonFields::read(path));
}

}  // namespace openbook::engine
