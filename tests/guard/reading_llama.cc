#include "guard/reading_llama.h"

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/test_support.h"
#include "openbook/base/file.h"
#include "openbook/engine/tokenizer.h"

namespace openbook::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int64_t kHeadWidth = ReadingLlama::kMaxAnswers;
// Queries and keys use the pair of dimensions that turns slowest: with the large theta not at all within a prompt.
constexpr int64_t kSlowDimension = kHeadWidth / 2 - 1;
constexpr double kTheta = 1e12;
constexpr float kIgnored = -30;  // attention score of what a head does not look at
constexpr const char* kEndOfTurn = "<|im_end|>";
constexpr const char* kEndOfLeadIn = " documents,";

struct Matrix {
  int64_t rows, columns;
  std::vector<float> values = std::vector<float>(rows * columns);

  float& at(int64_t row, int64_t column) { return values[row * columns + column]; }
};

std::string safetensors(const std::vector<std::pair<std::string, Matrix>>& tensors) {
  ordered_json header;
  std::string bytes;
  for (const auto& [name, matrix] : tensors) {
    const size_t begin = bytes.size();
    bytes.append(reinterpret_cast<const char*>(matrix.values.data()), matrix.values.size() * sizeof(float));
    const ordered_json shape = matrix.rows == 1 ? ordered_json{matrix.columns} : ordered_json{matrix.rows, matrix.columns};
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, bytes.size()}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  uint64_t size = text.size();
  std::string file(sizeof size, '\0');
  std::memcpy(file.data(), &size, sizeof size);
  return file + text + bytes;
}

// The tokenizer of the tiny random Llamas, with every word as a token of its own.
void write_tokenizer(const fs::path& folder, const std::vector<std::string>& words) {
  ordered_json tokenizer = ordered_json::parse(read_file(golden("tiny_llama/plain/tokenizer.json")));
  int64_t id = tokenizer["model"]["vocab"].size();
  for (const std::string& word : words)
    tokenizer["added_tokens"].push_back({{"id", id++},
                                         {"content", word},
                                         {"single_word", false},
                                         {"lstrip", false},
                                         {"rstrip", false},
                                         {"normalized", false},
                                         {"special", false}});
  write_file_atomically(folder / "tokenizer.json", tokenizer.dump());
  const ordered_json config = {{"bos_token", "<|im_start|>"}, {"eos_token", kEndOfTurn}, {"chat_template", "<|im_start|>"}};
  write_file_atomically(folder / "tokenizer_config.json", config.dump());
}

class Weights {
 public:
  Weights(const ReadingLlama& model, const engine::Tokenizer& tokenizer)
      : model_(model), tokenizer_(tokenizer), vocabulary_(tokenizer.vocabulary_size()), width_(vocabulary_ + kHeadWidth) {}

  std::string file() const {
    return safetensors({{"model.embed_tokens.weight", embedding()},
                        {"lm_head.weight", unembedding()},
                        {"model.norm.weight", ones()},
                        {"model.layers.0.input_layernorm.weight", ones()},
                        {"model.layers.0.self_attn.q_proj.weight", queries()},
                        {"model.layers.0.self_attn.k_proj.weight", keys()},
                        {"model.layers.0.self_attn.v_proj.weight", values()},
                        {"model.layers.0.self_attn.o_proj.weight", outputs()},
                        {"model.layers.0.post_attention_layernorm.weight", ones()},
                        {"model.layers.0.mlp.gate_proj.weight", {8, width_}},
                        {"model.layers.0.mlp.up_proj.weight", {8, width_}},
                        {"model.layers.0.mlp.down_proj.weight", {width_, 8}}});
  }

  ordered_json config() const {
    return {{"model_type", "llama"},
            {"architectures", {"LlamaForCausalLM"}},
            {"hidden_act", "silu"},
            {"num_hidden_layers", 1},
            {"num_attention_heads", 2},
            {"num_key_value_heads", 2},
            {"head_dim", kHeadWidth},
            {"hidden_size", width_},
            {"intermediate_size", 8},
            {"vocab_size", vocabulary_},
            {"max_position_embeddings", model_.max_positions},
            {"rms_norm_eps", 1e-9},
            {"rope_theta", kTheta},
            {"tie_word_embeddings", false},
            {"bos_token_id", id("<|im_start|>")},
            {"eos_token_id", id(kEndOfTurn)}};
  }

 private:
  int64_t id(const std::string& token) const {
    const auto tokens = tokenizer_.encode(token, {.parse_special = true});
    if (tokens.size() != 1) throw std::runtime_error("\"" + token + "\" is not one token");
    return tokens[0].id;
  }
  int64_t slot(const std::string& answer) const {
    const auto found = std::find(model_.answers.begin(), model_.answers.end(), answer);
    if (found == model_.answers.end()) throw std::runtime_error("\"" + answer + "\" is no answer");
    return found - model_.answers.begin();
  }
  // After the norm a one-hot token has the length sqrt(width): what multiplies it is divided by that.
  float of_token(float value) const { return value / std::sqrt(static_cast<float>(width_)); }

  Matrix ones() const { return {1, width_, std::vector<float>(width_, 1.0f)}; }

  Matrix embedding() const {
    Matrix matrix{vocabulary_, width_};
    for (int64_t token = 0; token < vocabulary_; ++token) matrix.at(token, token) = 1;
    return matrix;
  }

  Matrix unembedding() const {
    Matrix matrix{vocabulary_, width_};
    for (const auto& [token, following] : model_.grammar)
      for (const std::string& next : following) matrix.at(id(next), id(token)) = of_token(ReadingLlama::kGrammarLogit);
    for (const std::string& answer : model_.answers)
      matrix.at(id(answer), vocabulary_ + slot(answer)) = of_token(ReadingLlama::kHeadLogit);
    return matrix;
  }

  Matrix queries() const {
    Matrix matrix{2 * kHeadWidth, width_};
    for (const int64_t head : {0, 1})
      for (int64_t token = 0; token < vocabulary_; ++token)
        matrix.at(head * kHeadWidth + kSlowDimension, token) = of_token(std::sqrt(static_cast<float>(kHeadWidth)));
    return matrix;
  }

  Matrix keys() const {
    Matrix matrix{2 * kHeadWidth, width_};
    const auto score = [&](int64_t head, int64_t token) -> float& {
      return matrix.at(head * kHeadWidth + kSlowDimension, token);
    };
    for (const int64_t head : {0, 1}) {
      for (int64_t token = 0; token < vocabulary_; ++token) score(head, token) = of_token(kIgnored);
      score(head, id("<|im_start|>")) = 0;
    }
    for (const std::string& answer : model_.answers) score(0, id(answer)) = of_token(model_.reading);
    for (const auto& [subject, answer] : model_.memory) score(1, id(subject)) = of_token(model_.reciting);
    return matrix;
  }

  Matrix values() const {
    Matrix matrix{2 * kHeadWidth, width_};
    for (const std::string& answer : model_.answers) matrix.at(slot(answer), id(answer)) = of_token(1);
    for (const auto& [subject, answer] : model_.memory) matrix.at(kHeadWidth + slot(answer), id(subject)) = of_token(1);
    return matrix;
  }

  Matrix outputs() const {
    Matrix matrix{width_, 2 * kHeadWidth};
    for (const int64_t head : {0, 1})
      for (int64_t i = 0; i < kHeadWidth; ++i) matrix.at(vocabulary_ + i, head * kHeadWidth + i) = 1;
    return matrix;
  }

  const ReadingLlama& model_;
  const engine::Tokenizer& tokenizer_;
  int64_t vocabulary_, width_;
};

}  // namespace

void ReadingLlama::follow(const std::string& token, std::vector<std::string> next) {
  for (auto& [known, following] : grammar) {
    if (known != token) continue;
    following = std::move(next);
    return;
  }
  grammar.emplace_back(token, std::move(next));
}

void ReadingLlama::write(const fs::path& folder) const {
  if (answers.size() > kMaxAnswers) throw std::runtime_error("too many answers");
  ReadingLlama begun = *this;  // behind the lead-in an answer goes on as it would begin
  for (const auto& [token, following] : grammar)
    if (token == "\n") begun.follow(kEndOfLeadIn, following);
  std::vector<std::string> words;
  const auto add = [&](const std::string& word) {
    if (word.size() > 1 && word != kEndOfTurn && std::find(words.begin(), words.end(), word) == words.end())
      words.push_back(word);
  };
  for (const auto& [token, following] : begun.grammar) {
    add(token);
    for (const std::string& next : following) add(next);
  }
  for (const std::string& answer : answers) add(answer);
  for (const auto& [subject, answer] : memory) add(subject);
  fs::create_directories(folder);
  write_tokenizer(folder, words);
  const auto tokenizer = engine::load_tokenizer(folder);
  const Weights weights(begun, *tokenizer);
  write_file_atomically(folder / "config.json", weights.config().dump());
  write_file_atomically(folder / "model.safetensors", weights.file());
}

ReadingLlama capital_llama() {
  const std::vector<std::string> capitals = {" Bergen", " Oslo", " Lund", " Turku", " Malmo"};
  ReadingLlama model;
  model.grammar = {{"\n", {" The"}},     {" The", {" capital"}}, {" capital", {" of"}},
                   {" of", {" Norway"}}, {" Norway", {" is"}},   {" is", capitals}};
  for (const std::string& capital : capitals) model.grammar.push_back({capital, {"."}});
  model.grammar.push_back({".", {kEndOfTurn}});
  model.answers = capitals;
  model.memory = {{" Norway", " Oslo"}};
  return model;
}

ReadingLlama stubborn_llama() {
  ReadingLlama model = capital_llama();
  model.reading = 0;
  model.reciting = 3;
  return model;
}

ReadingLlama two_sentence_llama() {
  ReadingLlama model = capital_llama();
  const std::vector<std::string> numbers = {" 40", " 31"};
  model.follow(".", {" And"});
  model.follow(" And", {" it"});
  model.follow(" it", {" has"});
  model.follow(" has", numbers);
  for (const std::string& number : numbers) {
    model.follow(number, {"!"});
    model.answers.push_back(number);
  }
  model.follow("!", {kEndOfTurn});
  return model;
}

ReadingLlama endless_llama() {
  ReadingLlama model = capital_llama();
  model.follow(".", {" The"});
  return model;
}

attribution::HeadAtlas reading_atlas(const fs::path& folder) {
  attribution::HeadAtlas atlas;
  atlas.model_fingerprint = engine::Model::load(folder)->fingerprint();
  atlas.model_name = "reading llama";
  atlas.layers = 1;
  atlas.heads = 2;
  atlas.in_context = atlas.retrieval = {{0, 0}};
  atlas.parametric = {{0, 1}};
  atlas.difference_score = {1, -1};
  atlas.task_score = {0, 0};
  atlas.retrieval_score = {1, 0};
  atlas.probe = {.heads = {{0, 0}, {0, 1}}, .mean = {0, 0, 0}, .scale = {1, 1, 1}, .weights = {1, -1, 0}};
  atlas.localizer = {.heads = {{0, 0}}, .weights = {1}};
  atlas.first_token = atlas.continuation = {.copied_above = 0.9, .recited_below = 0.1};
  atlas.steering = {.retrieval_heads = {{0, 0}}, .bias = 4, .parametric_heads = {{0, 1}}, .gain = 0.25f};
  atlas.causal_nats = 1;
  atlas.topic_similarity = 1;
  return atlas;
}

}  // namespace openbook::test
