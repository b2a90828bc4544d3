#include "decoder/ops.h"

#include <cmath>
#include <cstring>

#include "cuda/built.h"
#include "cuda/ops.h"
#include "decoder/cpu_kernels.h"
#include "decoder/element_type.h"
#include "openbook/engine/dense_product.h"

namespace openbook::engine {
namespace {

bool one_token_on_cpu(const at::Tensor& x) { return x.is_cpu() && x.size(0) == 1; }

template <typename Element, typename Out>
void multiply(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, at::Tensor& out) {
  cpu::matrix_times_vector(elements<Element>(weight), elements<Element>(x), elements<Element>(bias), weight.size(0),
                           weight.size(1), out.mutable_data_ptr<Out>());
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& gain, double epsilon) {
  if (!x.is_cpu()) return at::rms_norm(x, gain.sizes(), gain, epsilon);
  at::Tensor out = at::empty_like(x);
  with_element_type(x, [&]<typename Element>(const Element*) {
    cpu::rms_norm(elements<Element>(x), elements<Element>(gain), epsilon, x.size(0), x.size(1), out.mutable_data_ptr<Element>());
  });
  return out;
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (!one_token_on_cpu(x)) return dense_product(x, weight, bias);
  at::Tensor out = at::empty({1, weight.size(0)}, x.options());
  with_element_type(x, [&]<typename Element>(const Element*) { multiply<Element, Element>(x, weight, bias, out); });
  return out;
}

at::Tensor silu_times_up(const at::Tensor& gate_up) {
  const int64_t tokens = gate_up.size(0), d_mlp = gate_up.size(1) / 2;
  if constexpr (cuda::kBuilt)
    if (gate_up.is_cuda()) return cuda::silu_times_up(gate_up);
  if (!gate_up.is_cpu()) return at::silu(gate_up.narrow(1, 0, d_mlp)).mul_(gate_up.narrow(1, d_mlp, d_mlp));
  at::Tensor out = at::empty({tokens, d_mlp}, gate_up.options());
  with_element_type(gate_up, [&]<typename Element>(const Element*) {
    cpu::silu_times_up(elements<Element>(gate_up), tokens, d_mlp, out.mutable_data_ptr<Element>());
  });
  return out;
}

}  // namespace

at::Tensor normed_linear(const at::Tensor& x, const at::Tensor& gain, double epsilon, const at::Tensor& weight,
                         const at::Tensor& bias) {
  return linear(rms_norm(x, gain, epsilon), weight, bias);
}

void add_linear(const at::Tensor& resid, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  resid.add_(linear(x, weight, bias));
}

void add_mlp(const at::Tensor& resid, const LayerWeights& weights, double epsilon) {
  const at::Tensor gate_up = normed_linear(resid, weights.mlp_norm, epsilon, weights.gate_up, weights.gate_up_bias);
  add_linear(resid, silu_times_up(gate_up), weights.mlp_down, weights.mlp_down_bias);
}

at::Tensor unembed(const at::Tensor& x, const at::Tensor& gain, double epsilon, const at::Tensor& unembedding) {
  const at::Tensor normed = rms_norm(x, gain, epsilon);
  if (!one_token_on_cpu(normed)) return dense_product(normed, unembedding).to(at::kFloat);
  at::Tensor out = at::empty({1, unembedding.size(0)}, x.options().dtype(at::kFloat));
  with_element_type(normed, [&]<typename Element>(const Element*) { multiply<Element, float>(normed, unembedding, {}, out); });
  return out;
}

void rotate(const at::Tensor& x, int64_t heads, const at::Tensor& cos, const at::Tensor& sin) {
  const int64_t tokens = x.size(0), d_head = x.size(2);
  if (x.is_cpu()) {
    with_element_type(x, [&]<typename Element>(const Element*) {
      cpu::rotate(x.mutable_data_ptr<Element>(), x.stride(0), elements<float>(cos), elements<float>(sin), tokens, heads, d_head);
    });
    return;
  }
  if constexpr (cuda::kBuilt)
    if (x.is_cuda()) return cuda::rotate(x, heads, cos, sin);
  const at::Tensor rotated = x.narrow(1, 0, heads), halves = rotated.view({tokens, heads, 2, d_head / 2});
  const at::Tensor turned = at::stack({-halves.select(2, 1), halves.select(2, 0)}, 2).flatten(2);  // (-b, a)
  rotated.copy_(at::addcmul(rotated * cos.unsqueeze(1), turned, sin.unsqueeze(1)));
}

void store(const at::Tensor& rows, const at::Tensor& cached) {
  if constexpr (cuda::kBuilt)
    if (rows.is_cuda()) return cuda::store(rows, cached);
  if (!rows.is_cpu() || rows.size(0) != 1) {
    cached.copy_(rows.transpose(0, 1));
    return;
  }
  const size_t bytes = rows.size(2) * rows.element_size();
  for (int64_t head = 0; head < rows.size(1); ++head)
    std::memcpy(static_cast<char*>(cached.mutable_data_ptr()) + head * cached.stride(0) * cached.element_size(),
                static_cast<const char*>(rows.const_data_ptr()) + head * bytes, bytes);
}

bool attends_one(const at::Tensor& queries) { return one_token_on_cpu(queries); }

at::Tensor attend_one(const at::Tensor& query, const at::Tensor& keys, const at::Tensor& values) {
  const int64_t heads = query.size(1), d_head = query.size(2);
  at::Tensor z = at::empty({1, heads * d_head}, query.options());
  with_element_type(query, [&]<typename Element>(const Element*) {
    cpu::attend_one<Element>(elements<Element>(query), {elements<Element>(keys), keys.stride(0)},
                             {elements<Element>(values), values.stride(0)}, heads, keys.size(0), keys.size(1), d_head,
                             z.mutable_data_ptr<Element>());
  });
  return z;
}

bool attends_many(const at::Tensor& queries) { return queries.is_cpu() && cpu::attends_many(queries.size(2)); }

at::Tensor attend_many(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values) {
  const int64_t rows = queries.size(0), heads = queries.size(1), d_head = queries.size(2);
  at::Tensor z = at::empty({rows, heads * d_head}, queries.options());
  with_element_type(queries, [&]<typename Element>(const Element*) {
    cpu::attend_many<Element>({elements<Element>(queries), queries.stride(0), rows}, {elements<Element>(keys), keys.stride(0)},
                              {elements<Element>(values), values.stride(0)}, heads, keys.size(0), keys.size(1) - rows, d_head,
                              z.mutable_data_ptr<Element>());
  });
  return z;
}

void attention_rows(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& key_rows, const RowBias& bias,
                    int64_t first_key, const at::Tensor& pattern) {
  const int64_t heads = queries.size(0), d_head = queries.size(1), positions = keys.size(1), width = pattern.size(1);
  if (queries.is_cpu()) {
    with_element_type(queries, [&]<typename Element>(const Element*) {
      cpu::attention_rows(elements<Element>(queries), elements<Element>(keys), keys.stride(0), elements<int64_t>(key_rows), heads,
                          positions, d_head, elements<float>(bias.biases), elements<float>(bias.chosen),
                          {first_key, first_key + width}, pattern.mutable_data_ptr<float>(), pattern.stride(0));
    });
    return;
  }
  const at::Tensor gathered = keys.index_select(0, key_rows).to(at::kFloat);
  at::Tensor scores = at::bmm(gathered, queries.to(at::kFloat).unsqueeze(-1)).squeeze(-1);
  scores.mul_(1.0 / std::sqrt(static_cast<double>(d_head)));
  if (bias.biases.defined()) scores.addcmul_(bias.biases.unsqueeze(-1), bias.chosen.unsqueeze(0));
  pattern.copy_(at::softmax(scores, -1).narrow(1, first_key, width));
}

}  // namespace openbook::engine
