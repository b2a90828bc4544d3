// Takes a Llama's tensors out of its safetensors: every shape checked, related projections fused, dtype and device changed.
#pragma once

#include <ATen/ATen.h>

#include <set>
#include <string>
#include <vector>

#include "decoder/weight_arena.h"
#include "openbook/engine/model.h"

namespace openbook::engine {

class WeightReader {
 public:
  // `stored` and `config` must outlive the reader; `where` names the folder in messages.
  WeightReader(const Safetensors& stored, const ModelConfig& config, std::string where, at::ScalarType dtype, at::Device device);

  // Throw not_found when there is no such tensor, invalid_argument naming the tensor, its shape or dtype and the one expected.
  at::Tensor matrix(const std::string& name, int64_t rows, int64_t columns);
  at::Tensor vector(const std::string& name, int64_t size);
  LayerWeights layer(int64_t index);

  // Throws invalid_argument naming the first stored tensor that was not taken: a weight that the model would miss without a word.
  void refuse_unread() const;

 private:
  struct Part {
    std::string name;
    int64_t rows;
  };

  at::Tensor checked(const std::string& name, const std::vector<int64_t>& shape);
  at::Tensor fused(const std::vector<Part>& parts, int64_t columns);  // weights, over each other
  at::Tensor fused_bias(const std::vector<Part>& parts, bool there);  // undefined when the model has none

  const Safetensors& stored_;
  const ModelConfig& config_;
  std::string where_;
  WeightArena arena_;
  std::set<std::string> read_;
};

}  // namespace openbook::engine
