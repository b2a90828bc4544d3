// Sentence embeddings from a BERT-shaped encoder (all-MiniLM-L6-v2): mean pooling over tokens, length 1.
//
// Reads a sentence-transformers folder: config.json, model.safetensors, tokenizer.json, 1_Pooling/config.json and, where they are
// there, modules.json and sentence_bert_config.json. Computes in float32.
//
// Thread-safe. Batched equals single to 1e-6: padding is masked out. The empty text has a vector too. embed() throws
// invalid_argument for a text that is not UTF-8.
//
//   auto encoder = TextEncoder::load("models/all-minilm-l6-v2");
//   std::vector<float> vectors = encoder->embed({"first text", "second"});  // 2 * encoder->dimension() numbers
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "openbook/base/embedder.h"

namespace openbook::engine {

class TextEncoder : public Embedder {
 public:
  // `device` as in ModelOptions. Throws not_found (folder or file), invalid_argument (malformed; weights, config and tokenizer
  // disagree), data_loss (weights cut short), unimplemented (another architecture, activation or pooling, by name) and
  // failed_precondition (no such device).
  static std::shared_ptr<const TextEncoder> load(const std::filesystem::path& folder, const std::string& device = "cpu");
};

}  // namespace openbook::engine
