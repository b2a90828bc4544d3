#include "logistic_regression.h"

namespace openbook::attribution {
namespace {

constexpr int kMaxSteps = 200;
constexpr double kSmallestStep = 1e-10;  // of the line search
constexpr double kConverged = 1e-12;     // Newton decrement, relative to the loss

// sum_n weight_n * (log(1 + exp(s)) - target * s) + penalty / 2 * c^2, with s = inputs c.
double loss_at(const LogisticProblem& problem, const at::Tensor& coefficients) {
  const at::Tensor score = problem.inputs.mv(coefficients);
  const at::Tensor softplus = at::relu(score) + at::log1p(at::exp(-score.abs()));
  const at::Tensor fit = (problem.weights * (softplus - problem.targets * score)).sum();
  return (fit + 0.5 * (problem.penalty * coefficients.square()).sum()).item<double>();
}

}  // namespace

at::Tensor minimise(const LogisticProblem& problem) {
  const int64_t coefficient_count = problem.inputs.size(1);
  at::Tensor coefficients = at::zeros({coefficient_count}, at::kDouble);
  double loss = loss_at(problem, coefficients);
  for (int step = 0; step < kMaxSteps; ++step) {
    const at::Tensor p = at::sigmoid(problem.inputs.mv(coefficients));
    const at::Tensor gradient = problem.inputs.t().mv(problem.weights * (p - problem.targets)) + problem.penalty * coefficients;
    const at::Tensor curvature = problem.weights * p * (1 - p);
    at::Tensor hessian = problem.inputs.t().mm(problem.inputs * curvature.unsqueeze(1));
    hessian.diagonal().add_(problem.penalty);
    // A trace of ridge: a column that never varies would make the matrix singular, and its coefficient does not matter.
    hessian.diagonal().add_(1e-12 * (1 + hessian.diagonal().max()));
    const at::Tensor direction = at::linalg_solve(hessian, gradient);
    const double decrement = gradient.dot(direction).item<double>();
    if (!(decrement > kConverged * (1 + loss))) break;

    double length = 1;
    for (; length >= kSmallestStep; length /= 2) {
      const at::Tensor candidate = coefficients - length * direction;
      const double candidate_loss = loss_at(problem, candidate);
      if (candidate_loss > loss - 1e-4 * length * decrement) continue;
      coefficients = candidate;
      loss = candidate_loss;
      break;
    }
    if (length < kSmallestStep) break;  // rounding noise is all that is left
  }
  return coefficients;
}

}  // namespace openbook::attribution
