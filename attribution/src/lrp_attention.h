// Attention's backward. AttnLRP's rule: both products share equally, the softmax keeps its plain Jacobian.
//
// In gradient form: a quarter of the gradient to query and key each, half to the value, on the tensors that enter the attention
// function. Key relevance is read as max(0, A * dA), dA being the gradient of z = A V before that split: twice the rule's
// relevance of A, a factor that no ranking sees.
//
// Heads that share a key stand together: N = batch * kv_heads, G = heads / kv_heads, S keys, Q queries.
#pragma once

#include <ATen/ATen.h>

namespace openbook::attribution::lrp {

// What enters the attention function; all float32, contiguous.
struct AttentionInputs {
  at::Tensor q;     // [N, Q, G, d_head], already scaled by 1 / sqrt(d_head)
  at::Tensor k, v;  // [N, S, d_head]
  // [N, S] float32, added to the scores of each row's keys: 0, or -inf for keys that the only query must not see. Undefined:
  // causal, with Q = S.
  at::Tensor key_bias;
};

enum class AttentionRule {
  kUniform,        // AttnLRP
  kHeldConstant,   // A is a constant: all of the gradient goes to the value. Relevance is conserved then.
  kPlainGradient,  // no rule: query, key and value get their whole gradients
};

at::Tensor attention(const AttentionInputs& inputs);  // z, [N, Q, G, d_head]

struct AttentionGradient {
  at::Tensor dq, dk, dv;
  at::Tensor keys;  // [N, G, S]: sum over queries of max(0, A * dA); undefined unless asked for
};
// A is computed again, a block of queries at a time: memory does not grow with queries x keys.
AttentionGradient attention_backward(const AttentionInputs& inputs, const at::Tensor& z, const at::Tensor& dz, AttentionRule rule,
                                     bool key_relevance);

}  // namespace openbook::attribution::lrp
