#include "lrp_rules.h"

#include "dense_product.h"

namespace openbook::attribution::lrp {

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return dense_product(x, weight.to(at::kFloat), bias.defined() ? bias.to(at::kFloat) : bias);
}

at::Tensor linear_backward(const at::Tensor& dy, const at::Tensor& weight) {
  return dense_product(dy, weight.to(at::kFloat).t());
}

Normed rms_norm(const at::Tensor& x, const at::Tensor& gain, double epsilon) {
  const at::Tensor scale = x.square().mean(-1, /*keepdim=*/true).add_(epsilon).rsqrt_();
  return {(x * scale).mul_(gain), scale};
}

at::Tensor rms_norm_backward(const at::Tensor& dy, const at::Tensor& gain, const at::Tensor& scale) {
  return (dy * scale).mul_(gain);
}

Gated gated_silu(const at::Tensor& gate_up) {
  const at::Tensor pair = gate_up.unflatten(-1, {2, gate_up.size(-1) / 2});
  const at::Tensor gate = pair.select(-2, 0), up = pair.select(-2, 1);
  const at::Tensor half_sigmoid = at::sigmoid(gate).mul_(0.5);
  at::Tensor factors = at::empty_like(pair);
  at::Tensor to_gate = factors.select(-2, 0), to_up = factors.select(-2, 1);
  at::mul_out(to_gate, up, half_sigmoid);
  at::mul_out(to_up, gate, half_sigmoid);
  return {(to_up * up).mul_(2), factors};
}

at::Tensor gated_silu_backward(const at::Tensor& dy, const at::Tensor& factors) {
  return (dy.unsqueeze(-2) * factors).flatten(-2);
}

void rotate(const at::Tensor& x, const Rotation& rotation, at::Tensor& out) {
  const int64_t half = x.size(-1) / 2;
  const at::Tensor first = x.narrow(-1, 0, half), second = x.narrow(-1, half, half);
  at::Tensor out_first = out.narrow(-1, 0, half), out_second = out.narrow(-1, half, half);
  at::mul_out(out_first, first, rotation.cos).addcmul_(second, rotation.sin, -1);
  at::mul_out(out_second, second, rotation.cos).addcmul_(first, rotation.sin);
}

}  // namespace openbook::attribution::lrp
