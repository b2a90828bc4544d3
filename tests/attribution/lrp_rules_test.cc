// Every rule alone: relevance x * dx is conserved where AttnLRP says so, and equals what autograd gives with the rule's factors
// elsewhere.
#include "lrp_rules.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/test_support.h"
#include "lrp_attention.h"

namespace openbook::attribution::lrp {
namespace {

double sum_of(const at::Tensor& tensor) { return tensor.to(at::kDouble).sum().item<double>(); }

void expect_close(const at::Tensor& actual, const at::Tensor& expected, double tolerance = 1e-5) {
  ASSERT_EQ(actual.sizes(), expected.sizes());
  const double scale = expected.abs().max().item<double>();
  EXPECT_LE((actual - expected).abs().max().item<double>(), tolerance * scale) << "largest expected value " << scale;
}

class LrpRules : public testing::Test {
 protected:
  void SetUp() override { at::manual_seed(20); }
};

TEST_F(LrpRules, LinearWithoutBiasConserves) {
  const at::Tensor x = at::randn({3, 5, 16}), weight = at::randn({24, 16}), dy = at::randn({3, 5, 24});
  const at::Tensor y = lrp::linear(x, weight), dx = linear_backward(dy, weight);
  const double relevance = sum_of(y * dy);
  EXPECT_NEAR(sum_of(x * dx), relevance, 1e-4 * std::abs(relevance));
}

TEST_F(LrpRules, LinearBiasKeepsItsShare) {
  const at::Tensor x = at::randn({4, 16}), weight = at::randn({24, 16}), bias = at::randn({24}), dy = at::randn({4, 24});
  const at::Tensor y = lrp::linear(x, weight, bias), dx = linear_backward(dy, weight);
  const double of_bias = sum_of(bias * dy);
  EXPECT_GT(std::abs(of_bias), 0.1);
  EXPECT_NEAR(sum_of(x * dx) + of_bias, sum_of(y * dy), 1e-3);
}

TEST_F(LrpRules, BfloatWeightsAreWidenedNotTheActivations) {
  const at::Tensor x = at::randn({4, 16}), weight = at::randn({24, 16}).to(at::kBFloat16);
  expect_close(lrp::linear(x, weight), lrp::linear(x, weight.to(at::kFloat)), 0);
  EXPECT_EQ(linear_backward(at::randn({4, 24}), weight).scalar_type(), at::kFloat);
}

TEST_F(LrpRules, RmsNormConservesRowByRow) {
  const at::Tensor x = at::randn({3, 5, 16}), gain = at::randn({16}), dy = at::randn({3, 5, 16});
  const Normed normed = rms_norm(x, gain, 1e-5);
  expect_close(normed.y, x / (x.square().mean(-1, true) + 1e-5).sqrt() * gain);
  expect_close((x * rms_norm_backward(dy, gain, normed.scale)).sum(-1), (normed.y * dy).sum(-1));
}

TEST_F(LrpRules, GateAndUpShareEqually) {
  const at::Tensor gate_up = at::randn({7, 20}), dy = at::randn({7, 10});
  const Gated gated = gated_silu(gate_up);
  expect_close(gated.y, at::silu(gate_up.narrow(1, 0, 10)) * gate_up.narrow(1, 10, 10));
  const at::Tensor relevance = gate_up * gated_silu_backward(dy, gated.factors);
  expect_close(relevance.narrow(1, 0, 10), gated.y * dy / 2);
  expect_close(relevance.narrow(1, 10, 10), gated.y * dy / 2);
}

TEST_F(LrpRules, AClosedGateHasNoInfiniteRelevance) {
  const Gated gated = gated_silu(at::zeros({1, 4}));
  const at::Tensor dx = gated_silu_backward(at::ones({1, 2}), gated.factors);
  EXPECT_TRUE(dx.isfinite().all().item<bool>());
}

TEST_F(LrpRules, RotationConservesAndItsInverseTurnsBack) {
  const at::Tensor x = at::randn({2, 9, 8}), angles = at::randn({9, 4}), dy = at::randn({2, 9, 8});
  const Rotation rotation{angles.cos(), angles.sin()};
  at::Tensor y = at::empty_like(x), dx = at::empty_like(x), back = at::empty_like(x);
  rotate(x, rotation, y);
  rotate(dy, inverse(rotation), dx);
  rotate(y, inverse(rotation), back);
  expect_close((x * dx).sum(-1), (y * dy).sum(-1));
  expect_close(back, x);
}

// A causal head group with enough queries for several blocks.
struct AttentionCase {
  AttentionInputs inputs{at::randn({2, 600, 2, 8}), at::randn({2, 600, 8}), at::randn({2, 600, 8}), {}};
  at::Tensor dz = at::randn({2, 600, 2, 8});

  // A, [N, Q, G, S], with the mask written another way than the code under test does.
  static at::Tensor pattern(const at::Tensor& q, const at::Tensor& k) {
    const at::Tensor scores = at::einsum("nqgd,nsd->nqgs", {q, k});
    const at::Tensor position = at::arange(q.size(1));
    return scores.masked_fill(position.view({1, -1, 1, 1}) < position.view({1, 1, 1, -1}), -INFINITY).softmax(-1);
  }
};

TEST_F(LrpRules, AttentionEqualsAutogradWithAQuarterAQuarterAndAHalf) {
  AttentionCase c;
  for (const at::Tensor& leaf : {c.inputs.q, c.inputs.k, c.inputs.v}) leaf.set_requires_grad(true);
  const at::Tensor a = AttentionCase::pattern(c.inputs.q, c.inputs.k);
  a.retain_grad();
  const at::Tensor z = at::einsum("nqgs,nsd->nqgd", {a, c.inputs.v});
  z.backward(c.dz);
  AttentionInputs plain{c.inputs.q.detach(), c.inputs.k.detach(), c.inputs.v.detach(), {}};
  expect_close(attention(plain), z.detach());
  const AttentionGradient gradient = attention_backward(plain, z.detach(), c.dz, AttentionRule::kUniform, /*key_relevance=*/true);
  expect_close(gradient.dq, c.inputs.q.grad() / 4, 1e-4);
  expect_close(gradient.dk, c.inputs.k.grad() / 4, 1e-4);
  expect_close(gradient.dv, c.inputs.v.grad() / 2, 1e-4);
  expect_close(gradient.keys, at::relu(a.detach() * a.grad()).sum(1), 1e-4);
}

TEST_F(LrpRules, AttentionHeldConstantConserves) {
  const AttentionCase c;
  const at::Tensor z = attention(c.inputs);
  const AttentionGradient gradient = attention_backward(c.inputs, z, c.dz, AttentionRule::kHeldConstant, /*key_relevance=*/false);
  const double relevance = sum_of(z * c.dz);
  EXPECT_NEAR(sum_of(c.inputs.v * gradient.dv), relevance, 1e-4 * std::abs(relevance));
  EXPECT_EQ(sum_of(gradient.dq.abs()) + sum_of(gradient.dk.abs()), 0);
  EXPECT_FALSE(gradient.keys.defined());
}

TEST_F(LrpRules, OneQueryWithAKeyBiasEqualsTheCausalRow) {
  const AttentionCase c;
  const int64_t position = 350;  // a sequence of 351 tokens, padded to 600
  at::Tensor dz = at::zeros_like(c.dz);
  dz.select(1, position).copy_(c.dz.select(1, position));
  const at::Tensor z = attention(c.inputs);
  const AttentionGradient whole = attention_backward(c.inputs, z, dz, AttentionRule::kUniform, true);

  AttentionInputs one{c.inputs.q.narrow(1, position, 1).contiguous(), c.inputs.k, c.inputs.v, at::zeros({2, 600})};
  one.key_bias.slice(1, position + 1).fill_(-INFINITY);
  expect_close(attention(one), z.narrow(1, position, 1));
  const AttentionGradient row = attention_backward(one, attention(one), dz.narrow(1, position, 1), AttentionRule::kUniform, true);
  expect_close(row.dq, whole.dq.narrow(1, position, 1));
  expect_close(row.dk, whole.dk);
  expect_close(row.dv, whole.dv);
  expect_close(row.keys, whole.keys);
}

}  // namespace
}  // namespace openbook::attribution::lrp
