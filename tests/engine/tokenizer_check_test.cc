// Which tokenizers a model takes for its own.
#include "weights/tokenizer_check.h"

#include "base/test_support.h"
#include "engine/byte_tokenizer.h"
#include "openbook/base/file.h"

namespace openbook::engine {
namespace {

// Bytes are 0 to 255; then <s> 256, </s> 257, <pad> 258, <end> 259, and fillers up to `ids`.
test::ByteTokenizer tokenizer_of(size_t ids) {
  std::vector<std::string> specials = {"<s>", "</s>", "<pad>", "<end>"};
  while (256 + specials.size() < ids) specials.push_back("filler " + std::to_string(specials.size()));
  return test::ByteTokenizer(specials);
}

ModelConfig config_of(int64_t vocabulary, std::optional<TokenId> bos = 256, std::vector<TokenId> stop_ids = {257}) {
  ModelConfig config;
  config.vocabulary = vocabulary;
  config.bos = bos;
  config.stop_ids = std::move(stop_ids);
  return config;
}

TEST(TokenizerCheck, VocabulariesMayBePaddedAndNoMore) {
  const test::TemporaryFolder folder;
  const struct {
    size_t ids;
    int64_t vocabulary;
  } sound[] = {
      {151'665, 151'936},  // Qwen 2.5 up to 3B
      {151'665, 152'064},  // Qwen 2.5 from 7B
      {100'015, 102'400},  // DeepSeek LLM
      {32'011, 32'064},    // Phi 3
      {32'768, 32'768},    // Mistral 7B v0.3
      {272, 276},
  };
  for (const auto& row : sound)
    EXPECT_NO_THROW(check_tokenizer(tokenizer_of(row.ids), config_of(row.vocabulary), folder.path())) << row.ids;
  EXPECT_ERROR(check_tokenizer(tokenizer_of(30'522), config_of(49'152), folder.path()), Code::kInvalidArgument,
               "the tokenizer has 30522 ids and the model (config.json: vocab_size) 49152, more than padding explains");
  EXPECT_ERROR(check_tokenizer(tokenizer_of(300), config_of(299), folder.path()), Code::kInvalidArgument,
               "300 ids and the model");
}

TEST(TokenizerCheck, WhereTheModelBeginsAndStopsThereIsAToken) {
  const test::TemporaryFolder folder;
  const test::ByteTokenizer tokenizer = tokenizer_of(272);
  EXPECT_ERROR(check_tokenizer(tokenizer, config_of(276, 274), folder.path()), Code::kInvalidArgument,
               "the model begins or stops with token 274");
  EXPECT_ERROR(check_tokenizer(tokenizer, config_of(276, 256, {257, 272}), folder.path()), Code::kInvalidArgument, "token 272");
  EXPECT_NO_THROW(check_tokenizer(tokenizer, config_of(276, std::nullopt, {}), folder.path()));
}

TEST(TokenizerCheck, OneSpecialTokenThatBothNameIsEnough) {
  const test::TemporaryFolder folder;
  const test::ByteTokenizer tokenizer = tokenizer_of(272);
  const auto check = [&](const char* json, const ModelConfig& config) {
    write_file_atomically(folder / "tokenizer_config.json", json);
    check_tokenizer(tokenizer, config, folder.path());
  };
  const std::pair<const char*, ModelConfig> sound[] = {
      {R"({"bos_token": "<s>", "eos_token": "</s>"})", config_of(276)},
      {R"({"bos_token": {"content": "<s>"}, "eos_token": {"content": "<end>"}})", config_of(276)},  // stops with another
      {R"({"bos_token": "<s>", "eos_token": "</s>"})", config_of(276, 257, {257})},                 // DeepSeek-R1-Distill-Qwen
      {R"({"bos_token": null, "eos_token": "<end>", "pad_token": "<pad>"})", config_of(276, 258, {259, 258})},  // Qwen 2.5
      {R"({"bos_token": null, "eos_token": "<end>"})", config_of(276, std::nullopt, {257, 259})},
      {R"({})", config_of(276)},
      {R"({"bos_token": "<other>"})", config_of(276, std::nullopt, {})},
  };
  for (const auto& [json, config] : sound) EXPECT_NO_THROW(check(json, config)) << json;
  EXPECT_ERROR(check(R"({"bos_token": "<|im_start|>", "eos_token": "<end>"})", config_of(276)), Code::kInvalidArgument,
               "tokenizer_config.json: bos_token \"<|im_start|>\" is not in the tokenizer, eos_token \"<end>\" is token 259; the "
               "model's (config.json: bos and eos) are 257, 256");
  EXPECT_ERROR(check(R"({"bos_token": 5})", config_of(276)), Code::kInvalidArgument, "\"bos_token\" should be a string");
}

}  // namespace
}  // namespace openbook::engine
