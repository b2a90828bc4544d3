// Sentence embeddings from a BERT-shaped encoder (all-MiniLM-L6-v2): mean pooling over tokens, length 1.
//
// Thread-safe. Batched equals single to 1e-6: padding is masked out.
//
//   auto encoder = TextEncoder::load("models/all-minilm-l6-v2");
//   std::vector<float> vectors = encoder->embed({"first text", "second"});
#pragma once

#include <filesystem>
#include <memory>

#include "openbook/base/embedder.h"

namespace openbook::engine {

class TextEncoder : public Embedder {
 public:
  // `device` as in ModelOptions. Throws as Model::load does.
  static std::shared_ptr<const TextEncoder> load(const std::filesystem::path& folder, const std::string& device = "cpu");
};

}  // namespace openbook::engine
