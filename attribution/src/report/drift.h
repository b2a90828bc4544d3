// Does the atlas still hold when the model changes under it?
#pragma once

#include "report/experiment.h"

namespace openbook::attribution {

Json run_drift(const Laboratory& laboratory);

// A copy of the model folder whose weight matrices are rounded to 8 bits, each row by its own scale (absmax): what an int8 model
// computes with, in the stored dtype. Norms and biases stay. Throws unimplemented for shards and for weights that are neither
// float32 nor bfloat16.
void write_rounded_model(const std::filesystem::path& folder, const std::filesystem::path& rounded);

}  // namespace openbook::attribution
