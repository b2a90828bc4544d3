#include <ATen/ATen.h>

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

}  // namespace
}  // namespace openbook::attribution
