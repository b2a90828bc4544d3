#include "lrp_rules.h"

#include "openbook/engine/dense_product.h"

namespace openbook::attribution::lrp {

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return engine::dense_product(x, weight.to(at::kFloat), bias.defined() ? bias.to(at::kFloat) : bias);
}

at::Tensor linear_backward(const at::Tensor& dy, const at::Tensor& weight) {
  return engine::dense_product(dy, weight.to(at::kFloat).t());
}

Normed rms_norm(const at::Tensor& x, const at::Tensor& gain, double epsilon) {
  const at::Tensor scale = x.square().mean(-1, /*keepdim=*/true).add_(epsilon).rsqrt_();
  return {(x * scale).mul_(gain), scale};
}

at::Tensor rms_norm_backward(const at::Tensor& dy, const at::Tensor& gain, const at::Tensor& scale) {
  return (dy * scale).mul_(gain);
}

at::Tensor rms_norm_gradient(const at::Tensor& dy, const at::Tensor& gain, const at::Tensor& x, const at::Tensor& scale) {
  const at::Tensor unit = x * scale, dunit = dy * gain;
  return dunit.sub_(unit * (unit * dunit).mean(-1, /*keepdim=*/true)).mul_(scale);
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

Gated gated_silu_plain(const at::Tensor& gate_up) {
  const at::Tensor pair = gate_up.unflatten(-1, {2, gate_up.size(-1) / 2});
  const at::Tensor gate = pair.select(-2, 0), up = pair.select(-2, 1);
  const at::Tensor sigmoid = at::sigmoid(gate), silu = gate * sigmoid;
  const at::Tensor slope = (sigmoid + silu).sub_(silu * sigmoid);  // of silu
  return {silu * up, at::stack({up * slope, silu}, -2)};
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
