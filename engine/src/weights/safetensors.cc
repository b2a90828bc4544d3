#include "openbook/engine/safetensors.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>

#include "json/parse_json.h"
#include "openbook/base/error.h"
#include "openbook/base/file.h"
#include "openbook/base/hash.h"
#include "openbook/base/utf8.h"
#include "weights/mapped_file.h"
#include "weights/safetensors_header.h"

namespace openbook::engine {
namespace {

namespace fs = std::filesystem;
using Tensors = std::map<std::string, at::Tensor>;

constexpr uint64_t kMaxIndexBytes = 64 << 20;

at::Tensor view_of(const TensorEntry& entry, const std::shared_ptr<const MappedFile>& file) {
  const auto options = at::TensorOptions(entry.dtype);
  if (entry.begin == entry.end) return at::empty(entry.shape, options);
  char* begin = const_cast<char*>(file->bytes().data()) + entry.begin;
  if (reinterpret_cast<uintptr_t>(begin) % c10::elementSize(entry.dtype) == 0)
    return at::from_blob(
        begin, entry.shape, [file](void*) {}, options);
  // The format promises no alignment; the processor and the kernels want it.
  at::Tensor copy = at::empty(entry.shape, options);
  std::memcpy(copy.mutable_data_ptr(), begin, entry.end - entry.begin);
  return copy;
}

Tensors read_one(const fs::path& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  Tensors tensors;
  for (const TensorEntry& entry : parse_safetensors_header(file->bytes(), path.string()))
    tensors.emplace(entry.name, view_of(entry, file));
  return tensors;
}

// Tensor name -> file name.
std::map<std::string, std::string> read_index(const fs::path& path) {
  const auto fail = [&](const std::string& what) { throw Error(Code::kInvalidArgument, path.string() + ": " + what); };
  const auto index = parse_json(read_file(path, kMaxIndexBytes), path.string());
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object())
    fail("is not a JSON object with a weight_map");
  std::map<std::string, std::string> files;
  for (const auto& [name, file] : index["weight_map"].items()) {
    const std::string shown = "tensor \"" + escape_for_terminal(name) + "\"";
    if (!file.is_string()) fail(shown + " is mapped to something that is not a file name");
    const auto& value = file.get_ref<const std::string&>();
    // Shards lie beside their index; a path that leads elsewhere is not followed.
    if (value.empty() || value == "." || value == ".." || value.find_first_of(std::string("/\\\0", 3)) != std::string::npos)
      fail(shown + " is mapped to \"" + escape_for_terminal(value) + "\", which is not a plain file name");
    files[name] = value;
  }
  if (files.empty()) fail("its weight_map is empty");
  return files;
}

Tensors read_shards(const fs::path& folder, const fs::path& index_path) {
  const auto index = read_index(index_path);
  const auto disagree = [&](const std::string& what) {
    throw Error(Code::kInvalidArgument, index_path.string() + ": " + what,
                "Shards and index are not of one model. Fetch them again.");
  };
  std::map<std::string, Tensors> shards;
  for (const auto& [name, file] : index)
    if (!shards.contains(file)) shards[file] = read_one(folder / file);
  Tensors all;
  for (const auto& [file, tensors] : shards) {
    for (const auto& [name, tensor] : tensors) {
      const std::string shown = "tensor \"" + escape_for_terminal(name) + "\"";
      const auto expected = index.find(name);
      if (expected == index.end()) disagree(shown + " of " + file + " is not in the index");
      if (expected->second != file) disagree(shown + " should stand in " + expected->second + " and was found in " + file);
      all.emplace(name, tensor);
    }
  }
  for (const auto& [name, file] : index)
    if (!all.contains(name)) disagree("tensor \"" + escape_for_terminal(name) + "\" is missing from " + file);
  return all;
}

std::string_view bytes_of(const at::Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), static_cast<size_t>(tensor.nbytes())};
}

}  // namespace

Safetensors Safetensors::open(const fs::path& file_or_folder) {
  Safetensors opened;
  opened.source_ = file_or_folder;
  std::error_code unreadable;  // whatever it is, opening the file says it better
  if (!fs::is_directory(file_or_folder, unreadable)) {
    opened.tensors_ = read_one(file_or_folder);
    return opened;
  }
  const fs::path single = file_or_folder / "model.safetensors", index = file_or_folder / "model.safetensors.index.json";
  if (is_there(single)) {
    opened.tensors_ = read_one(single);
  } else if (is_there(index)) {
    opened.tensors_ = read_shards(file_or_folder, index);
  } else {
    throw Error(Code::kNotFound,
                file_or_folder.string() + ": neither model.safetensors nor model.safetensors.index.json is there",
                "Give the folder of a Hugging Face model whose weights are stored as safetensors.");
  }
  return opened;
}

std::vector<std::string> Safetensors::names() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors_) names.push_back(name);
  return names;
}

at::Tensor Safetensors::tensor(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end())
    throw Error(Code::kNotFound, source_.string() + ": no tensor \"" + name + "\"",
                "The weights are not of the model that config.json describes.");
  return found->second;
}

std::string Safetensors::fingerprint() const {
  const std::vector<std::pair<std::string, at::Tensor>> tensors(tensors_.begin(), tensors_.end());
  std::vector<Sha256Digest> digests(tensors.size());
  at::parallel_for(0, static_cast<int64_t>(tensors.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) digests[i] = sha256(bytes_of(tensors[i].second));
  });
  Sha256 hash;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, tensor] = tensors[i];
    std::string line = std::to_string(name.size()) + ":" + name + " " + c10::toString(tensor.scalar_type());
    for (const int64_t size : tensor.sizes()) line.append(1, ' ').append(std::to_string(size));
    line.append(1, ' ').append(to_hex(digests[i])).append(1, '\n');
    hash.update(line);
  }
  return to_hex(hash.finish());
}

}  // namespace openbook::engine
