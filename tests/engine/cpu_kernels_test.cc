// The kernels against libtorch in float64, at sizes that leave every kind of rest behind whole registers.
#include "decoder/cpu_kernels.h"

#include <limits>

#include "engine/tiny_llama.h"
#include "openbook/engine/dense_product.h"

namespace openbook::engine {
namespace {

using test::close;

constexpr int64_t kWidths[] = {1, 8, 15, 16, 48, 64, 65, 200, 576};

template <typename Element>
class CpuKernels : public testing::Test {
 protected:
  static constexpr at::ScalarType kDtype = c10::CppTypeToScalarType<Element>::value;
  static constexpr double kTolerance = std::is_same_v<Element, float> ? 1e-6 : 8e-3;  // half a bfloat16 step is 2^-9
  void SetUp() override { at::manual_seed(1); }
  static at::Tensor random(std::vector<int64_t> shape) { return at::randn(shape).to(kDtype); }
  static at::Tensor empty(std::vector<int64_t> shape) { return at::full(shape, -7, kDtype); }
  static const Element* in(const at::Tensor& x) { return x.const_data_ptr<Element>(); }
  static Element* out(at::Tensor& x) { return x.mutable_data_ptr<Element>(); }
  static at::Tensor wide(const at::Tensor& x) { return x.to(at::kDouble); }
};
using Elements = testing::Types<float, at::BFloat16>;
TYPED_TEST_SUITE(CpuKernels, Elements);

TYPED_TEST(CpuKernels, MatrixTimesVector) {
  for (const int64_t columns : kWidths) {
    for (const int64_t rows : {1, 63, 64, 65, 1000}) {
      const at::Tensor weight = this->random({rows, columns}), x = this->random({columns}), bias = this->random({rows});
      at::Tensor plain = this->empty({rows}), biased = this->empty({rows}), exact = at::empty({rows});
      cpu::matrix_times_vector(this->in(weight), this->in(x), nullptr, rows, columns, this->out(plain));
      cpu::matrix_times_vector(this->in(weight), this->in(x), this->in(bias), rows, columns, this->out(biased));
      cpu::matrix_times_vector(this->in(weight), this->in(x), nullptr, rows, columns, exact.mutable_data_ptr<float>());
      const at::Tensor expected = at::mv(this->wide(weight), this->wide(x));
      EXPECT_TRUE(close(plain, expected, this->kTolerance)) << rows << " x " << columns;
      EXPECT_TRUE(close(biased, expected + this->wide(bias), this->kTolerance)) << rows << " x " << columns;
      EXPECT_TRUE(close(exact, expected, 1e-6)) << rows << " x " << columns;
    }
  }
}

TYPED_TEST(CpuKernels, RmsNorm) {
  for (const int64_t columns : kWidths) {
    const at::Tensor x = this->random({40, columns}) * 3, weight = this->random({columns});
    at::Tensor y = this->empty({40, columns});
    cpu::rms_norm<TypeParam>(this->in(x), this->in(weight), 1e-5, 40, columns, this->out(y));
    const at::Tensor scale = at::rsqrt(this->wide(x).square().mean(-1, true) + 1e-5);
    EXPECT_TRUE(close(y, this->wide(x) * scale * this->wide(weight), this->kTolerance)) << columns;
  }
}

TYPED_TEST(CpuKernels, SiluTimesUp) {
  for (const int64_t columns : kWidths) {
    at::Tensor gate_up = this->random({5, 2 * columns}) * 4;
    gate_up[0][0] = 200;   // e^-200 is 0
    gate_up[1][0] = -200;  // e^200 is past float32
    at::Tensor y = this->empty({5, columns});
    cpu::silu_times_up<TypeParam>(this->in(gate_up), 5, columns, this->out(y));
    const auto halves = this->wide(gate_up).chunk(2, -1);
    EXPECT_TRUE(close(y, at::silu(halves[0]) * halves[1], this->kTolerance)) << columns;
  }
}

TYPED_TEST(CpuKernels, RotateTurnsTheChosenHeadsOnly) {
  const int64_t tokens = 37, heads = 3, d_head = 16;
  const at::Tensor original = this->random({tokens, heads + 2, d_head}), angle = at::rand({tokens, d_head / 2}) * 6;
  const at::Tensor cos = angle.cos().repeat({1, 2}), sin = angle.sin().repeat({1, 2});
  at::Tensor x = original.clone();
  cpu::rotate<TypeParam>(this->out(x), x.stride(0), cos.const_data_ptr<float>(), sin.const_data_ptr<float>(), tokens, heads,
                         d_head);
  const at::Tensor turned = at::view_as_complex(at::stack(this->wide(original).chunk(2, -1), -1)) *
                            at::polar(at::ones_like(angle), angle).to(at::kComplexDouble).unsqueeze(1);
  const at::Tensor expected = at::cat({at::real(turned), at::imag(turned)}, -1);
  EXPECT_TRUE(close(x.narrow(1, 0, heads), expected.narrow(1, 0, heads), this->kTolerance));
  EXPECT_TRUE(at::equal(x.narrow(1, heads, 2), original.narrow(1, heads, 2)));
}

TYPED_TEST(CpuKernels, AttendOne) {
  const int64_t heads = 6, kv_heads = 2, capacity = 700;
  for (const int64_t d_head : {8, 16, 48, 64, 80, 128}) {
    for (const int64_t positions : {1, 2, 15, 16, 17, 133, 640}) {
      const at::Tensor query = this->random({heads, d_head}) * 2, keys = this->random({kv_heads, capacity, d_head}),
                       values = this->random({kv_heads, capacity, d_head});
      at::Tensor z = this->empty({heads, d_head});
      cpu::attend_one<TypeParam>(this->in(query), {this->in(keys), keys.stride(0)}, {this->in(values), values.stride(0)}, heads,
                                 kv_heads, positions, d_head, this->out(z));
      const at::Tensor k = this->wide(keys.narrow(1, 0, positions)).repeat_interleave(3, 0),
                       v = this->wide(values.narrow(1, 0, positions)).repeat_interleave(3, 0);
      const at::Tensor pattern =
          at::softmax(at::bmm(k, this->wide(query).unsqueeze(-1)).squeeze(-1) / std::sqrt(static_cast<double>(d_head)), -1);
      EXPECT_TRUE(close(z, at::bmm(pattern.unsqueeze(1), v).squeeze(1), this->kTolerance * 4)) << d_head << " over " << positions;
    }
  }
}

TYPED_TEST(CpuKernels, AttendManyIsCausalBehindAFilledCache) {
  const int64_t heads = 6, kv_heads = 2, capacity = 400;
  EXPECT_FALSE(cpu::attends_many(16));
  for (const int64_t d_head : {32, 64, 128}) {
    ASSERT_TRUE(cpu::attends_many(d_head));
    for (const auto& [first, rows] :
         {std::pair<int64_t, int64_t>{0, 1}, {0, 2}, {0, 16}, {0, 17}, {0, 133}, {1, 31}, {31, 1}, {200, 50}, {263, 137}}) {
      const int64_t positions = first + rows;
      const at::Tensor fused = this->random({rows, heads + 2, d_head}) * 2, keys = this->random({kv_heads, capacity, d_head}),
                       values = this->random({kv_heads, capacity, d_head});
      at::Tensor z = this->empty({rows, heads, d_head});
      cpu::attend_many<TypeParam>({this->in(fused), fused.stride(0), rows}, {this->in(keys), keys.stride(0)},
                                  {this->in(values), values.stride(0)}, heads, kv_heads, first, d_head, this->out(z));
      const at::Tensor q = this->wide(fused.narrow(1, 0, heads)).transpose(0, 1),
                       k = this->wide(keys.narrow(1, 0, positions)).repeat_interleave(3, 0),
                       v = this->wide(values.narrow(1, 0, positions)).repeat_interleave(3, 0);
      const at::Tensor later = at::ones({rows, positions}, at::kBool).triu(first + 1);
      const at::Tensor scores = at::bmm(q, k.transpose(1, 2)) / std::sqrt(static_cast<double>(d_head));
      const at::Tensor pattern = at::softmax(scores.masked_fill(later, -std::numeric_limits<double>::infinity()), -1);
      EXPECT_TRUE(close(z, at::bmm(pattern, v).transpose(0, 1), this->kTolerance * 4))
          << d_head << ", " << rows << " behind " << first;
    }
  }
}

TYPED_TEST(CpuKernels, NotANumberIsNotHidden) {
  at::Tensor x = this->random({1, 64}), weight = this->random({64}), y = this->empty({1, 64}), gate = this->empty({1, 32});
  x[0][5] = std::numeric_limits<float>::quiet_NaN();
  cpu::rms_norm<TypeParam>(this->in(x), this->in(weight), 1e-5, 1, 64, this->out(y));
  EXPECT_TRUE(y.isnan().all().template item<bool>());
  cpu::silu_times_up<TypeParam>(this->in(x), 1, 32, this->out(gate));
  EXPECT_TRUE(gate[0][5].isnan().template item<bool>());
  at::Tensor z = this->empty({1, 64});
  cpu::attend_one<TypeParam>(this->in(x), {this->in(weight), 64}, {this->in(weight), 64}, 1, 1, 1, 64, this->out(z));
  EXPECT_TRUE(z.isnan().all().template item<bool>());
}

TEST(DenseProduct, EqualsAtensWithBiasAndStrides) {
  at::manual_seed(2);
  const at::Tensor x = at::randn({3, 5, 40}), weight = at::randn({24, 40}), bias = at::randn({24});
  EXPECT_TRUE(close(dense_product(x, weight, bias), at::linear(x, weight, bias), 1e-5));
  EXPECT_TRUE(close(dense_product(x, weight.t().contiguous().t()), at::linear(x, weight), 1e-5));
  const at::Tensor every_other = at::randn({3, 5, 80}).slice(2, 0, 80, 2);
  EXPECT_TRUE(close(dense_product(every_other, weight), at::linear(every_other, weight), 1e-5));
}

TEST(ReadAll, AddsUpEverythingButARest) {
  const at::Tensor x = at::ones({(1 << 20) * 3});
  EXPECT_EQ(cpu::read_all(x.const_data_ptr<float>(), x.numel()), static_cast<float>(x.numel()));
}

}  // namespace
}  // namespace openbook::engine
