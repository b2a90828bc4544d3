// The header of one safetensors file, parsed and checked against the file's size: whatever it says can be trusted afterwards.
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace openbook::engine {

struct TensorEntry {
  std::string name;
  at::ScalarType dtype = at::kFloat;
  std::vector<int64_t> shape;
  uint64_t begin = 0;  // bytes from the start of the file, half-open
  uint64_t end = 0;
};

// `where` names the file in messages. Throws as Safetensors::open does. Entries are in the order of their bytes.
std::vector<TensorEntry> parse_safetensors_header(std::string_view file, const std::string& where);

}  // namespace openbook::engine
