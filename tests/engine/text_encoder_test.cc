#include "openbook/engine/text_encoder.h"

#include <cstring>
#include <fstream>

#include "base/test_support.h"
#include "engine/embeddings.h"
#include "openbook/base/file.h"

namespace openbook::engine {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::TemporaryFolder;

const TextEncoder& tiny() {
  static const auto encoder = TextEncoder::load(test::golden("tiny_bert"));
  return *encoder;
}

// A copy of the tiny encoder to damage.
class TinyCopy {
 public:
  TinyCopy() { fs::copy(test::golden("tiny_bert"), folder_.path(), fs::copy_options::recursive); }
  const fs::path& path() const { return folder_.path(); }
  void write(const std::string& file, const std::string& text) const { std::ofstream(path() / file, std::ios::binary) << text; }
  void set(const std::string& file, const std::string& key, const json& value) const {
    json fields = json::parse(std::ifstream(path() / file));
    fields[key] = value;
    write(file, fields.dump());
  }
  std::shared_ptr<const TextEncoder> load() const { return TextEncoder::load(path()); }

 private:
  TemporaryFolder folder_;
};

TEST(TextEncoder, EqualsTransformersOnATinyBert) {
  test::expect_embeddings(tiny(), test::read_embeddings(test::golden("tiny_bert/expected.jsonl")));
}

TEST(TextEncoder, RunsTheActivationThatTheConfigNames) {
  for (const char* activation : {"gelu_new", "relu"}) {
    const TinyCopy copy;
    copy.set("config.json", "hidden_act", activation);
    test::expect_embeddings(*copy.load(),
                            test::read_embeddings(test::golden(std::string("tiny_bert/expected_") + activation + ".jsonl")));
  }
}

TEST(TextEncoder, BatchedEqualsSingleAndKeepsTheOrder) {
  std::vector<std::string> texts;
  for (int i = 0; i < 70; ++i)
    texts.push_back(std::string(static_cast<size_t>(i * 37 % 50), static_cast<char>('a' + i % 26)) + " leave days");
  test::expect_batched_equals_single(tiny(), texts);
}

TEST(TextEncoder, NoTextsNoVectors) { EXPECT_TRUE(tiny().embed({}).empty()); }

TEST(TextEncoder, LongTextsAreCutAtMaxTokens) {
  EXPECT_EQ(tiny().max_tokens(), 30);  // max_seq_length 32 less [CLS] and [SEP]
  std::string fits, longer;
  for (int i = 0; i < 30; ++i) fits += "a ";
  longer = fits + "and the days of leave";
  EXPECT_EQ(tiny().count_tokens(fits), 30);
  EXPECT_GT(tiny().count_tokens(longer), 30);
  EXPECT_EQ(tiny().embed({fits}), tiny().embed({longer}));
}

TEST(TextEncoder, SpecialTokensInATextArePlainText) {
  EXPECT_GT(tiny().count_tokens("[SEP]"), 1);
  EXPECT_NE(tiny().embed({"leave [SEP] days"}), tiny().embed({"leave days"}));
}

TEST(TextEncoder, WeightsOfALargerModelAreFoundUnderTheirPrefix) {
  const TinyCopy copy;
  const std::string bytes = read_file(copy.path() / "model.safetensors");
  uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), sizeof header_size);
  const json named = json::parse(bytes.substr(8, header_size));
  json renamed;
  for (const auto& [name, tensor] : named.items()) renamed[name == "__metadata__" ? name : "bert." + name] = tensor;
  const std::string header = renamed.dump(), tensors = bytes.substr(8 + header_size);
  header_size = header.size();
  copy.write("model.safetensors",
             std::string(reinterpret_cast<const char*>(&header_size), sizeof header_size) + header + tensors);
  EXPECT_EQ(copy.load()->embed({"days of leave"}), tiny().embed({"days of leave"}));
}

TEST(TextEncoder, FingerprintChangesWithWeightsTokenizerConfigAndLimit) {
  const TinyCopy same;
  EXPECT_EQ(same.load()->fingerprint(), tiny().fingerprint());
  const auto changed = [](auto change) {
    const TinyCopy copy;
    change(copy);
    return copy.load()->fingerprint();
  };
  EXPECT_NE(changed([](const TinyCopy& c) { c.set("config.json", "hidden_act", "relu"); }), tiny().fingerprint());
  EXPECT_NE(changed([](const TinyCopy& c) { c.set("sentence_bert_config.json", "max_seq_length", 16); }), tiny().fingerprint());
  EXPECT_NE(changed([](const TinyCopy& c) { c.set("tokenizer.json", "version", "1.0 "); }), tiny().fingerprint());
  EXPECT_NE(changed([](const TinyCopy& c) {
              std::fstream weights(c.path() / "model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
              weights.seekp(-1, std::ios::end).put('\x01');
            }),
            tiny().fingerprint());
}

TEST(TextEncoder, FoldersThatDisagreeOrAreNotSupportedAreRefusedByName) {
  const std::string config = "config.json", pooling = "1_Pooling/config.json", sentence = "sentence_bert_config.json";
  const std::vector<std::tuple<std::string, std::string, json, Code, const char*>> rows = {
      {config, "model_type", "mpnet", Code::kUnimplemented, "\"mpnet\" is not supported"},
      {config, "hidden_act", "silu", Code::kUnimplemented, "\"silu\" is not supported"},
      {config, "position_embedding_type", "relative_key", Code::kUnimplemented, "relative_key"},
      {config, "num_attention_heads", 5, Code::kInvalidArgument, "not a multiple"},
      {config, "num_hidden_layers", 3, Code::kNotFound, "encoder.layer.2"},
      {config, "hidden_size", 27, Code::kInvalidArgument, "config.json asks for a floating-point tensor [121, 27]"},
      {config, "num_hidden_layers", -1, Code::kInvalidArgument, "num_hidden_layers"},
      {config, "vocab_size", "many", Code::kInvalidArgument, "vocab_size"},
      {pooling, "pooling_mode_cls_token", true, Code::kUnimplemented, "pooling_mode_cls_token is not supported"},
      {pooling, "pooling_mode_max_tokens", true, Code::kUnimplemented, "pooling_mode_max_tokens"},
      {pooling, "pooling_mode_mean_tokens", false, Code::kInvalidArgument, "pooling_mode_mean_tokens should be true"},
      {pooling, "word_embedding_dimension", 25, Code::kInvalidArgument, "hidden_size of 24"},
      {sentence, "max_seq_length", 49, Code::kInvalidArgument, "max_seq_length"},
      {sentence, "do_lower_case", true, Code::kUnimplemented, "do_lower_case"},
  };
  for (const auto& [file, key, value, code, piece] : rows) {
    SCOPED_TRACE(file + " " + key);
    const TinyCopy copy;
    copy.set(file, key, value);
    EXPECT_ERROR(copy.load(), code, piece);
  }
}

TEST(TextEncoder, DamagedFoldersGiveOneClearError) {
  EXPECT_ERROR(TextEncoder::load("/nowhere/model"), Code::kNotFound, "/nowhere/model");
  EXPECT_ERROR(TextEncoder::load(test::golden("tiny_bert"), "tpu"), Code::kInvalidArgument, "device \"tpu\"");
  const TinyCopy modules;
  modules.write("modules.json",
                R"([{"type": "sentence_transformers.models.Transformer"}, {"type": "sentence_transformers.models.Dense"}])");
  EXPECT_ERROR(modules.load(), Code::kUnimplemented, "step \"sentence_transformers.models.Dense\"");
  const TinyCopy broken;
  broken.write("1_Pooling/config.json", "{\"pooling");
  EXPECT_ERROR(broken.load(), Code::kInvalidArgument, "1_Pooling/config.json");
  const TinyCopy no_pooling;
  fs::remove(no_pooling.path() / "1_Pooling/config.json");
  EXPECT_ERROR(no_pooling.load(), Code::kNotFound, "1_Pooling/config.json");
  const TinyCopy cut;
  fs::resize_file(cut.path() / "model.safetensors", 40000);
  EXPECT_ERROR(cut.load(), Code::kDataLoss, "model.safetensors");
  EXPECT_ERROR(tiny().embed({"fine", "\xff"}), Code::kInvalidArgument, "UTF-8");
}

}  // namespace
}  // namespace openbook::engine
