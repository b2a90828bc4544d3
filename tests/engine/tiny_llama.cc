#include "engine/tiny_llama.h"

#include <cstring>

#include "base/test_support.h"
#include "openbook/base/file.h"
#include "openbook/engine/safetensors.h"

namespace openbook::engine::test {
namespace {

std::filesystem::path folder_of(const std::string& name) { return openbook::test::golden("tiny_llama/" + name); }

}  // namespace

std::shared_ptr<const Model> load_tiny(const std::string& name, const ModelOptions& options) {
  return Model::load(folder_of(name), options);
}

void write_deep_llama(const std::filesystem::path& folder, int64_t layers) {
  const std::filesystem::path plain = folder_of("plain");
  for (const char* name : {"tokenizer.json", "tokenizer_config.json"}) std::filesystem::copy_file(plain / name, folder / name);
  nlohmann::json config = nlohmann::json::parse(read_file(plain / "config.json"));
  config["num_hidden_layers"] = layers;
  write_file_atomically(folder / "config.json", config.dump());

  const Safetensors stored = Safetensors::open(plain);
  nlohmann::json header;
  std::string bytes;
  const auto add = [&](const std::string& name, const at::Tensor& tensor) {
    const size_t begin = bytes.size();
    bytes.append(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
    header[name] = {{"dtype", "F32"}, {"shape", tensor.sizes().vec()}, {"data_offsets", {begin, bytes.size()}}};
  };
  const std::string first = "model.layers.0.";
  for (const std::string& name : stored.names()) {
    if (name.starts_with(first))
      for (int64_t layer = 0; layer < layers; ++layer)
        add("model.layers." + std::to_string(layer) + "." + name.substr(first.size()), stored.tensor(name));
    else if (!name.starts_with("model.layers."))
      add(name, stored.tensor(name));
  }
  const std::string text = header.dump();
  const uint64_t size = text.size();
  std::string file(sizeof size, '\0');
  std::memcpy(file.data(), &size, sizeof size);
  write_file_atomically(folder / "model.safetensors", file + text + bytes);
}

Golden golden_of(const std::string& name, bool edited) {
  const Safetensors stored = Safetensors::open(folder_of(name) / "golden.safetensors");
  const std::string prefix = edited ? "edited_" : "";
  const at::Tensor ids = stored.tensor("ids").to(at::kInt);
  const auto* begin = ids.const_data_ptr<TokenId>();
  return {.ids = {begin, begin + ids.numel()},
          .logits = stored.tensor(prefix + "logits"),
          .z = stored.tensor(prefix + "z"),
          .pattern = stored.tensor(prefix + "pattern"),
          .resid_final = stored.tensor("resid_final")};
}

HeadEdits golden_edits(const Model& model) {
  HeadEdits edits(model);
  edits.from_position = 9;
  edits.set_gain({0, 1}, 0.25f);
  edits.set_gain({1, 3}, 1.5f);
  edits.set_gain({1, 0}, 0.0f);
  edits.set_bias({0, 1}, 2.0f);
  edits.set_bias({0, 2}, -1.5f);
  edits.set_bias({1, 2}, 3.0f);
  edits.set_biased_keys({{0, 3}, {5, 8}, {12, 14}});
  return edits;
}

std::vector<HeadId> all_heads(const Model& model) {
  std::vector<HeadId> heads;
  for (int32_t layer = 0; layer < model.config().layers; ++layer)
    for (int32_t head = 0; head < model.config().heads; ++head) heads.push_back({layer, head});
  return heads;
}

testing::AssertionResult close(const at::Tensor& a, const at::Tensor& b, double tolerance) {
  if (a.sizes() != b.sizes()) return testing::AssertionFailure() << "shapes " << a.sizes() << " and " << b.sizes();
  if (a.numel() == 0) return testing::AssertionSuccess();
  const at::Tensor x = a.to(at::kCPU, at::kFloat), y = b.to(at::kCPU, at::kFloat);
  const double distance = (x - y).abs().max().item<double>(), scale = y.abs().max().item<double>();
  // Written so that NaN fails.
  if (distance <= tolerance * scale) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "largest difference " << distance << " at a scale of " << scale;
}

at::Tensor run_whole(const Decoder& decoder, const std::vector<TokenId>& tokens, const HeadEdits* edits) {
  KvCache cache(decoder.model(), static_cast<int64_t>(tokens.size()));
  return decoder.step({{.tokens = tokens, .cache = &cache, .edits = edits, .logits_of = LogitsOf::kAll}}).at(0).logits;
}

}  // namespace openbook::engine::test
