// Reads safetensors: memory-mapped, one file or shards with model.safetensors.index.json.
//
// The header is untrusted: sizes, offsets, overlaps, holes and shapes are checked before any tensor is made, and every error names
// file and tensor. Thread-safe after opening.
//
//   Safetensors weights = Safetensors::open("models/smollm2");
//   at::Tensor embed = weights.tensor("model.embed_tokens.weight");
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace openbook::engine {

class Safetensors {
 public:
  // A .safetensors file, or a folder that holds model.safetensors or the index of its shards. Throws not_found,
  // invalid_argument (malformed) or data_loss (cut short, overlapping).
  static Safetensors open(const std::filesystem::path& file_or_folder);

  std::vector<std::string> names() const;  // sorted
  bool contains(const std::string& name) const;

  // A read-only view of the mapped file, which stays mapped as long as any tensor lives. Throws not_found.
  at::Tensor tensor(const std::string& name) const;

  // Hex SHA-256 over names, shapes, dtypes and bytes, in name order; reads every byte once.
  std::string fingerprint() const;

 private:
  std::map<std::string, at::Tensor> tensors_;
};

}  // namespace openbook::engine
