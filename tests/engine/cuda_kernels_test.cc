// The kernels on a CUDA device against float64 on the CPU, at sizes that fill whole words and ones that don't.
#include <cmath>

#include "cuda/kernels.h"
#include "cuda/ops.h"
#include "engine/tiny_llama.h"

namespace openbook::engine {
namespace {

using test::close;

constexpr int64_t kWidths[] = {8, 20, 36, 64, 65, 200, 576, 1536};
constexpr cuda::Stream kDefault = nullptr;

template <typename Element>
class CudaKernels : public testing::Test {
 protected:
  static constexpr at::ScalarType kDtype = c10::CppTypeToScalarType<Element>::value;
  static constexpr double kTolerance = std::is_same_v<Element, float> ? 1e-5 : 8e-3;  // half a bfloat16 step is 2^-9
  void SetUp() override {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
    at::manual_seed(1);
  }
  static at::Tensor random(std::vector<int64_t> shape) { return at::randn(shape).to(kDtype).to(at::kCUDA); }
  static at::Tensor empty(std::vector<int64_t> shape) { return at::full(shape, -7, kDtype).to(at::kCUDA); }
  static at::Tensor floats(const at::Tensor& x) { return x.to(at::kFloat).to(at::kCUDA); }
  static at::Tensor position(int32_t at) { return at::full({1}, at, at::kInt).to(at::kCUDA); }
  static at::Tensor wide(const at::Tensor& x) { return x.to(at::kCPU, at::kDouble); }
  static const Element* in(const at::Tensor& x) { return x.const_data_ptr<Element>(); }
  static Element* out(const at::Tensor& x) { return x.mutable_data_ptr<Element>(); }
  static const float* in_float(const at::Tensor& x) { return x.const_data_ptr<float>(); }
  static float* out_float(const at::Tensor& x) { return x.mutable_data_ptr<float>(); }
  static const int32_t* in_int(const at::Tensor& x) { return x.const_data_ptr<int32_t>(); }
  static int32_t* out_int(const at::Tensor& x) { return x.mutable_data_ptr<int32_t>(); }
  static const int64_t* in_long(const at::Tensor& x) { return x.const_data_ptr<int64_t>(); }
  static cuda::CachedHeads<Element> heads(const at::Tensor& cached) { return {out(cached), cached.stride(0)}; }
  // softmax(q k / sqrt(d_head) + bias), [row, positions]; a row of queries and keys each.
  static at::Tensor softmax_of(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& bias) {
    const at::Tensor scores = at::bmm(keys, queries.unsqueeze(-1)).squeeze(-1) / std::sqrt(double(queries.size(-1)));
    return at::softmax(scores + bias, -1);
  }
  // Each head's halves (a, b) as (a cos - b sin, b cos + a sin): `angle` [tokens, d_head / 2], x [tokens, heads, d_head].
  static at::Tensor turned_by(const at::Tensor& angle, const at::Tensor& x) {
    const at::Tensor turned = at::view_as_complex(at::stack(wide(x).chunk(2, -1), -1)) *
                              at::polar(at::ones_like(angle), angle).to(at::kComplexDouble).unsqueeze(1);
    return at::cat({at::real(turned), at::imag(turned)}, -1);
  }
};
using Elements = testing::Types<float, at::BFloat16>;
TYPED_TEST_SUITE(CudaKernels, Elements);

TYPED_TEST(CudaKernels, MatrixTimesVector) {
  using Operand = cuda::Operand<TypeParam>;
  for (const int64_t columns : kWidths) {
    for (const int64_t rows : {1, 63, 64, 1000}) {
      const at::Tensor weight = this->random({rows, columns}), x = this->random({columns}) * 3, gain = this->random({columns}),
                       bias = this->random({rows}), sum = this->random({rows}), other = this->floats(at::randn({columns}));
      const auto times = [&](Operand operand, const TypeParam* added, at::Tensor y = {}) {
        const bool add = y.defined();
        if (!add) y = this->empty({rows});
        cuda::matrix_times_vector(this->in(weight), operand, added, rows, columns, add, this->out(y), kDefault);
        return y;
      };
      const auto product = [&](const at::Tensor& vector) { return at::mv(this->wide(weight), vector); };
      const at::Tensor v = this->wide(x), g = this->wide(gain);
      const std::string where = std::to_string(rows) + " x " + std::to_string(columns);
      EXPECT_TRUE(close(times({this->in(x)}, nullptr), product(v), this->kTolerance)) << where;
      EXPECT_TRUE(close(times({this->in(x)}, this->in(bias)), product(v) + this->wide(bias), this->kTolerance)) << where;
      EXPECT_TRUE(close(times({this->in(x)}, nullptr, sum.clone()), product(v) + this->wide(sum), this->kTolerance)) << where;
      const at::Tensor normed = this->floats(at::zeros({rows})), by_other = normed.clone();
      cuda::matrix_times_vector<TypeParam>(this->in(weight), Operand{this->in(x), this->in(gain), 1e-5f}, nullptr, rows, columns,
                                           false, this->out_float(normed), kDefault);
      cuda::matrix_times_vector<TypeParam>(this->in(weight), Operand{this->in(x), this->in(gain), 1e-5f, this->in_float(other)},
                                           nullptr, rows, columns, false, this->out_float(by_other), kDefault);
      const auto scaled = [&](const at::Tensor& by) { return v * at::rsqrt(by.square().mean() + 1e-5) * g; };
      EXPECT_TRUE(close(normed, product(scaled(v)), 1e-5)) << where;
      EXPECT_TRUE(close(by_other, product(scaled(this->wide(other))), 1e-5)) << where;

      const at::Tensor gates = this->random({2 * rows, columns}) / 8, of_gates = this->random({2 * rows});
      const auto gated = [&](const TypeParam* added) {
        const at::Tensor y = this->empty({rows});
        cuda::gated_matrix_times_vector(this->in(gates), Operand{this->in(x), this->in(gain), 1e-5f}, added, rows, columns,
                                        this->out(y), kDefault);
        return y;
      };
      const auto halves = [&](const at::Tensor& sums) { return at::silu(sums.narrow(0, 0, rows)) * sums.narrow(0, rows, rows); };
      const at::Tensor sums = at::mv(this->wide(gates), scaled(v));
      EXPECT_TRUE(close(gated(nullptr), halves(sums), this->kTolerance)) << where;
      EXPECT_TRUE(close(gated(this->in(of_gates)), halves(sums + this->wide(of_gates)), this->kTolerance)) << where;
    }
  }
}

TYPED_TEST(CudaKernels, SiluTimesUp) {
  for (const int64_t columns : kWidths) {
    const at::Tensor gate_up = this->random({5, 2 * columns}) * 4;
    gate_up[0][0].fill_(200);   // e^-200 is 0
    gate_up[1][0].fill_(-200);  // e^200 is past float32
    const auto halves = this->wide(gate_up).chunk(2, -1);
    EXPECT_TRUE(close(cuda::silu_times_up(gate_up), at::silu(halves[0]) * halves[1], this->kTolerance)) << columns;
  }
}

TYPED_TEST(CudaKernels, RotateTurnsTheChosenHeadsOnly) {
  const int64_t heads = 3, d_head = 16;
  const at::Tensor angle = at::rand({37, d_head / 2}) * 6, x = this->random({37, heads + 2, d_head}), turned = x.clone();
  cuda::rotate(turned, heads, this->floats(angle.cos().repeat({1, 2})), this->floats(angle.sin().repeat({1, 2})));
  EXPECT_TRUE(close(turned.narrow(1, 0, heads), this->turned_by(angle, x).narrow(1, 0, heads), this->kTolerance));
  EXPECT_TRUE(at::equal(turned.narrow(1, heads, 2), x.narrow(1, heads, 2)));
}

TYPED_TEST(CudaKernels, StoreWritesItsPlaceAlone) {
  const at::Tensor fused = this->random({7, 5, 16}), cached = this->empty({2, 30, 16});
  cuda::store(fused.narrow(1, 3, 2), cached.narrow(1, 11, 7));
  EXPECT_TRUE(at::equal(cached.narrow(1, 11, 7), fused.narrow(1, 3, 2).transpose(0, 1)));
  EXPECT_TRUE(cached.narrow(1, 0, 11).eq(-7).all().template item<bool>());
  EXPECT_TRUE(cached.narrow(1, 18, 12).eq(-7).all().template item<bool>());
}

TYPED_TEST(CudaKernels, AttendTurnsStoresAndReads) {
  const int64_t heads = 6, kv_heads = 2, capacity = 11000;
  for (const int64_t d_head : {8, 20, 64, 80, 128}) {
    ASSERT_TRUE(cuda::attends(capacity, d_head));
    const at::Tensor angle = at::rand({capacity, d_head / 2}) * 6, cos = this->floats(angle.cos().repeat({1, 2})),
                     sin = this->floats(angle.sin().repeat({1, 2}));
    for (const int64_t positions : {1, 2, 7, 8, 9, 63, 64, 65, 133, 1500, 11000}) {
      const std::string where = std::to_string(d_head) + " over " + std::to_string(positions);
      const at::Tensor qkv = this->random({heads + 2 * kv_heads, d_head}) * 2, keys = this->random({kv_heads, capacity, d_head}),
                       values = this->random({kv_heads, capacity, d_head}), at = this->position(int32_t(positions - 1));
      const at::Tensor before[] = {keys.clone(), values.clone()};
      const at::Tensor biases = at::rand({heads}) * 4, chosen = at::rand({capacity}).lt(0.3), gains = at::rand({heads});
      const at::Tensor on_device[] = {this->floats(biases), this->floats(chosen), this->floats(gains)};
      const at::Tensor queries = this->empty({heads, d_head}), finished = at::zeros({heads}, at.options()),
                       parts = this->floats(at::full({heads, cuda::attention_parts(capacity), d_head + 2}, -7));
      const auto attend = [&](cuda::ScoreBias bias, const float* gain) {
        const at::Tensor z = this->empty({heads, d_head});
        cuda::attend(cuda::TokenHeads<TypeParam>{this->in(qkv), this->in_float(cos), this->in_float(sin), this->out(queries)},
                     {int(heads), int(kv_heads), int(d_head)}, this->heads(keys), this->heads(values), bias, gain,
                     this->in_int(at), capacity, {this->out_float(parts), this->out_int(finished)}, this->out(z), kDefault);
        EXPECT_TRUE(finished.eq(0).all().template item<bool>()) << where;
        return z;
      };
      const at::Tensor plain = attend({}, nullptr);
      const at::Tensor edited =
          attend({this->in_float(on_device[0]), this->in_float(on_device[1])}, this->in_float(on_device[2]));

      const at::Tensor turned = this->turned_by(angle.narrow(0, positions - 1, 1), qkv.unsqueeze(0))[0];
      EXPECT_TRUE(close(queries, turned.narrow(0, 0, heads), this->kTolerance)) << where;
      EXPECT_TRUE(close(keys.select(1, positions - 1), turned.narrow(0, heads, kv_heads), this->kTolerance)) << where;
      EXPECT_TRUE(at::equal(values.select(1, positions - 1), qkv.narrow(0, heads + kv_heads, kv_heads))) << where;
      for (const auto& [now, then] : {std::pair{keys, before[0]}, std::pair{values, before[1]}}) {
        EXPECT_TRUE(at::equal(now.narrow(1, 0, positions - 1), then.narrow(1, 0, positions - 1))) << where;
        EXPECT_TRUE(at::equal(now.narrow(1, positions, capacity - positions), then.narrow(1, positions, capacity - positions)))
            << where;
      }
      const at::Tensor k = this->wide(keys.narrow(1, 0, positions)).repeat_interleave(3, 0),
                       v = this->wide(values.narrow(1, 0, positions)).repeat_interleave(3, 0);
      const auto expected = [&](const at::Tensor& bias) {
        return at::bmm(this->softmax_of(this->wide(queries), k, bias).unsqueeze(1), v).squeeze(1);
      };
      const at::Tensor bias = this->wide(biases).unsqueeze(-1) * this->wide(chosen.narrow(0, 0, positions));
      EXPECT_TRUE(close(plain, expected(at::zeros_like(bias)), this->kTolerance * 4)) << where;
      EXPECT_TRUE(close(edited, expected(bias) * this->wide(gains).unsqueeze(-1), this->kTolerance * 4)) << where;
    }
  }
  EXPECT_FALSE(cuda::attends(20000, 64));
  EXPECT_FALSE(cuda::attends(10, 1024));
}

TYPED_TEST(CudaKernels, PatternsOfChosenRows) {
  const int64_t d_head = 20, capacity = 700, rows = 3;
  const at::Tensor queries = this->random({8, d_head}) * 2, keys = this->random({4, capacity, d_head});
  const at::Tensor query_rows = at::tensor({7, 0, 3}, at::kLong), key_rows = at::tensor({3, 0, 3}, at::kLong),
                   biases = at::rand({8}) * 4, chosen = at::rand({capacity}).lt(0.3);
  const at::Tensor on_device[] = {query_rows.to(at::kCUDA), key_rows.to(at::kCUDA), this->floats(biases), this->floats(chosen)};
  for (const int64_t positions : {1, 100, 640}) {
    const at::Tensor out = this->floats(at::full({rows, 300}, -7)), at = this->position(int32_t(positions - 1));
    cuda::patterns(this->in(queries), this->in_long(on_device[0]), this->heads(keys), this->in_long(on_device[1]),
                   {this->in_float(on_device[2]), this->in_float(on_device[3])}, rows, d_head, this->in_int(at), capacity,
                   {50, 350}, this->out_float(out), kDefault);
    const at::Tensor bias =
        this->wide(biases).index_select(0, query_rows).unsqueeze(-1) * this->wide(chosen.narrow(0, 0, positions));
    at::Tensor expected = at::zeros({rows, capacity}, at::kDouble);
    expected.narrow(1, 0, positions)
        .copy_(this->softmax_of(this->wide(queries).index_select(0, query_rows),
                                this->wide(keys.narrow(1, 0, positions)).index_select(0, key_rows), bias));
    EXPECT_TRUE(close(out, expected.narrow(1, 50, 300), 2e-6)) << positions;
  }
}

TYPED_TEST(CudaKernels, RowsAreCopiedAndGathered) {
  const at::Tensor x = this->random({9, 4, 10}), single = this->floats(at::zeros({3, 10})), same = this->empty({2, 40});
  cuda::copy_row(x, 5, same, 1);
  EXPECT_TRUE(at::equal(same[1], x[5].flatten()));
  EXPECT_TRUE(same[0].eq(-7).all().template item<bool>());
  const at::Tensor chosen = at::tensor({35, 0, 17}, at::kLong).to(at::kCUDA);
  cuda::gather_rows(x, chosen, single);
  EXPECT_TRUE(at::equal(single, x.view({-1, 10}).index_select(0, chosen).to(at::kFloat)));
}

TEST(CudaLargest, IsTheFirstOfEqualsAndNotANumberBeforeAll) {
  if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
  at::manual_seed(2);
  for (const int64_t count : {1, 31, 1025, 49152}) {
    at::Tensor values = at::randn({count}).to(at::kCUDA);
    const auto [best, at] = cuda::largest(values);
    EXPECT_EQ(best, values.max().item<float>()) << count;
    EXPECT_EQ(values[at].item<float>(), best) << count;
    for (const int64_t equal : {count / 2, count - 1}) values[equal].fill_(9);
    EXPECT_EQ(cuda::largest(values).second, count / 2) << count;
    values[count - 1].fill_(std::nan(""));
    EXPECT_TRUE(std::isnan(cuda::largest(values).first)) << count;
    values.fill_(-INFINITY);
    EXPECT_EQ(cuda::largest(values), std::pair(-INFINITY, int64_t{0})) << count;
  }
}

TYPED_TEST(CudaKernels, NotANumberIsNotHidden) {
  const at::Tensor x = this->random({3, 64}), weight = this->random({7, 64}), y = this->empty({7}), z = this->empty({1, 64});
  x[0][5].fill_(std::nan(""));
  cuda::matrix_times_vector<TypeParam>(this->in(weight), {this->in(x), this->in(weight), 1e-5f}, nullptr, 7, 64, false,
                                       this->out(y), kDefault);
  EXPECT_TRUE(y.isnan().all().template item<bool>());
  const at::Tensor keys = this->random({1, 300, 64}), at = this->position(299), cos = this->floats(at::ones({300, 64})),
                   queries = this->empty({64}), parts = this->floats(at::zeros({5, 66})), finished = at::zeros({1}, at.options());
  cuda::attend(cuda::TokenHeads<TypeParam>{this->in(x), this->in_float(cos), this->in_float(cos), this->out(queries)}, {1, 1, 64},
               this->heads(keys), this->heads(keys), {}, nullptr, this->in_int(at), 300,
               {this->out_float(parts), this->out_int(finished)}, this->out(z), kDefault);
  EXPECT_TRUE(z.isnan().all().template item<bool>());
}

}  // namespace
}  // namespace openbook::engine
