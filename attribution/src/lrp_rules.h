// The rules of AttnLRP (Achtibat et al. 2024, arXiv 2402.05602) one by one, each a forward and a backward function.
//
// Relevance is read as R(x) = x * dx, where dx is the gradient with changed rules. A forward function returns what its backward
// needs, reduced to the factors that the rule leaves: neither norms nor products keep their inputs. All activations are float32;
// weights may be bfloat16 and are widened where they are used.
#pragma once

#include <ATen/ATen.h>

namespace openbook::attribution::lrp {

// Linear map y = x W^T + b, `weight` [out, in]. Epsilon rule, whose gradient form is the plain gradient: a bias keeps its share.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});
at::Tensor linear_backward(const at::Tensor& dy, const at::Tensor& weight);

// RMSNorm y = gain * x * scale with scale = 1 / rms(x). Identity rule: the scale counts as constant.
struct Normed {
  at::Tensor y;
  at::Tensor scale;  // [..., 1]
};
Normed rms_norm(const at::Tensor& x, const at::Tensor& gain, double epsilon);
at::Tensor rms_norm_backward(const at::Tensor& dy, const at::Tensor& gain, const at::Tensor& scale);
// The plain gradient at input `x`, in which the scale varies.
at::Tensor rms_norm_gradient(const at::Tensor& dy, const at::Tensor& gain, const at::Tensor& x, const at::Tensor& scale);

// y = silu(gate) * up. The product shares equally (half each), then the gate's half passes the activation by the identity rule,
// dgate = dsilu * silu(gate) / gate = dsilu * sigmoid(gate), which needs no guard where gate is 0.
struct Gated {
  at::Tensor y;
  at::Tensor factors;  // [..., 2, d_mlp]: dgate and dup over dy
};
Gated gated_silu(const at::Tensor& gate_up);        // [..., 2 * d_mlp], gate over up
Gated gated_silu_plain(const at::Tensor& gate_up);  // the same y, with the factors of the plain gradient
at::Tensor gated_silu_backward(const at::Tensor& dy, const at::Tensor& factors);

// Rotary positions turn the pair (x[i], x[i + d_head / 2]) by an angle of its position: a linear map. Broadcast to the pairs; a
// factor in the tables scales the result.
struct Rotation {
  at::Tensor cos, sin;  // [..., d_head / 2]
};
void rotate(const at::Tensor& x, const Rotation& rotation, at::Tensor& out);  // [..., d_head], any strides
inline Rotation inverse(const Rotation& rotation) { return {rotation.cos, rotation.sin.neg()}; }

}  // namespace openbook::attribution::lrp
