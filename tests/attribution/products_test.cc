#include <ATen/ATen.h>

#include "dense_product.h"
#include "engine/tiny_llama.h"
#include "row_products.h"

namespace openbook::attribution {
namespace {

using engine::test::close;

TEST(RowProducts, EqualTheWideProductAtAnyWidth) {
  at::manual_seed(1);
  for (const int64_t width : {1, 31, 32, 37, 576}) {
    const at::Tensor rows = at::randn({19, width}), x = at::randn({width});
    EXPECT_TRUE(close(row_products(rows, x), rows.to(at::kDouble).mv(x.to(at::kDouble)), 1e-5)) << width;
    const at::Tensor narrow = rows.to(at::kBFloat16);
    EXPECT_TRUE(close(row_products(narrow, x), narrow.to(at::kDouble).mv(x.to(at::kDouble)), 1e-5)) << width;
    EXPECT_TRUE(close(row_products(rows.t().contiguous().t(), x), rows.mv(x), 1e-5)) << "strided, " << width;
  }
}

TEST(DenseProduct, EqualsAtensWithBiasAndStrides) {
  at::manual_seed(2);
  const at::Tensor x = at::randn({3, 5, 40}), weight = at::randn({24, 40}), bias = at::randn({24});
  EXPECT_TRUE(close(dense_product(x, weight, bias), at::linear(x, weight, bias), 1e-5));
  EXPECT_TRUE(close(dense_product(x, weight.t().contiguous().t()), at::linear(x, weight), 1e-5));
  const at::Tensor every_other = at::randn({3, 5, 80}).slice(2, 0, 80, 2);
  EXPECT_TRUE(close(dense_product(every_other, weight), at::linear(every_other, weight), 1e-5));
}

}  // namespace
}  // namespace openbook::attribution
