// Rotary positions (Su et al. 2021, arXiv 2104.09864), in the split-halves form that Hugging Face's Llama weights are stored for:
// feature i turns with feature i + d_head / 2 by the angle position * theta^(-2 i / d_head).
#pragma once

#include <ATen/ATen.h>

#include "openbook/engine/model_config.h"

namespace openbook::engine {

struct RopeTables {
  at::Tensor cos;  // float32 [max_positions, d_head], on the CPU
  at::Tensor sin;  // the same; the halves are equal, as Hugging Face has them
};

// Computed in float32, as the models were trained: in float64 the angles of late positions would differ by 1e-3.
RopeTables make_rope_tables(const ModelConfig& config);

}  // namespace openbook::engine
