// The header of a file of weights: sizes and offsets by which the mapped file is read afterwards.
#include "fuzz.h"
#include "weights/safetensors_header.h"

void openbook::fuzz::run(std::string_view input) {
  uint64_t end = 0;
  for (const auto& entry : engine::parse_safetensors_header(input, "model.safetensors")) {
    require(entry.begin <= entry.end && entry.end <= input.size() && entry.begin >= end,
            "tensors lie in the file, one after another");
    end = entry.end;
  }
}
