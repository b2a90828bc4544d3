// The optimiser behind probe and calibration: weighted logistic regression toward soft targets, by Newton's method.
#pragma once

#include <ATen/ATen.h>

namespace openbook::attribution {

// All float64 on the CPU. A bias is the coefficient of an input that is always 1.
struct LogisticProblem {
  at::Tensor inputs;   // [example, coefficient]
  at::Tensor targets;  // [example], 0..1
  at::Tensor weights;  // [example], > 0
  at::Tensor penalty;  // [coefficient]: penalty / 2 * coefficient^2 is added to the loss
};

// The minimiser, [coefficient] float64. The loss must have one: every coefficient but the bias is penalised, or all targets are
// inside (0, 1).
at::Tensor minimise(const LogisticProblem& problem);

}  // namespace openbook::attribution
