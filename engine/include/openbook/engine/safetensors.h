// Reads safetensors: memory-mapped, one file or shards with model.safetensors.index.json.
//
// The header is untrusted: sizes, offsets, overlaps, holes and shapes are checked before any tensor is made, and every error
// names file and tensor. Copies share the mapping. Thread-safe after opening.
//
//   Safetensors weights = Safetensors::open("models/smollm2");
//   at::Tensor embed = weights.tensor("model.embed_tokens.weight");
//
// Layout (https://github.com/huggingface/safetensors#format): 8 bytes header size N, little-endian; N bytes of JSON that maps
// each name to {"dtype", "shape", "data_offsets": [begin, end)}; then the tensors, row-major, without gaps.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace openbook::engine {

class Safetensors {
 public:
  // A .safetensors file, or a folder that holds model.safetensors or the index of its shards. Throws not_found,
  // invalid_argument (malformed, or shards and index disagree), data_loss (cut short, overlapping, gaps) and unimplemented (a
  // dtype that is not supported, by name).
  static Safetensors open(const std::filesystem::path& file_or_folder);

  std::vector<std::string> names() const;  // sorted
  bool contains(const std::string& name) const { return tensors_.contains(name); }

  // A view of the mapped file, which stays mapped as long as any tensor lives; writing to it is a fault. Throws not_found.
  at::Tensor tensor(const std::string& name) const;

  // Hex SHA-256 over name, dtype, shape and SHA-256 of the bytes of every tensor, in name order; the same for one file and for
  // its shards. Reads every byte (about 0.2 s for 500 MB in memory).
  std::string fingerprint() const;

 private:
  std::filesystem::path source_;
  std::map<std::string, at::Tensor> tensors_;
};

}  // namespace openbook::engine
