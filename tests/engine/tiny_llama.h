// The tiny random Llamas of tests/golden/make_tiny_llama.py, and how close two tensors are.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "openbook/engine/decoder.h"

namespace openbook::engine::test {

inline const std::vector<std::string> kTinyLlamas = {"plain", "tied_llama3_rope", "sharded_biases"};

std::shared_ptr<const Model> load_tiny(const std::string& name, const ModelOptions& options = {});

// A model folder of the plain one's first layer, `layers` times: many steps of little work each.
void write_deep_llama(const std::filesystem::path& folder, int64_t layers);

// What transformers computed for that model's prompt.
struct Golden {
  std::vector<TokenId> ids;
  at::Tensor logits;       // [tokens, vocabulary]
  at::Tensor z;            // [layers, tokens, heads, d_head]
  at::Tensor pattern;      // [layers, heads, tokens, tokens]
  at::Tensor resid_final;  // [tokens, d_model]; of the unedited pass only
};
Golden golden_of(const std::string& name, bool edited = false);

// The edits of the golden's edited pass (EDITS of the script).
HeadEdits golden_edits(const Model& model);

std::vector<HeadId> all_heads(const Model& model);

// max |a - b| <= tolerance * max |b|, on the CPU in float32.
testing::AssertionResult close(const at::Tensor& a, const at::Tensor& b, double tolerance);

// All of `tokens` in one step on a fresh cache: logits of every token.
at::Tensor run_whole(const Decoder& decoder, const std::vector<TokenId>& tokens, const HeadEdits* edits = nullptr);

}  // namespace openbook::engine::test
