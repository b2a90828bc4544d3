#include "openbook/engine/rows.h"

#include "engine/tiny_llama.h"

namespace openbook::engine {
namespace {

using test::close;

TEST(Rows, ProductsEqualTheWideProductAtAnyWidth) {
  at::manual_seed(1);
  for (const int64_t width : {1, 31, 32, 37, 576}) {
    const at::Tensor matrix = at::randn({19, width}), x = at::randn({width});
    EXPECT_TRUE(close(row_products(matrix, x), matrix.to(at::kDouble).mv(x.to(at::kDouble)), 1e-5)) << width;
    const at::Tensor narrow = matrix.to(at::kBFloat16);
    EXPECT_TRUE(close(row_products(narrow, x), narrow.to(at::kDouble).mv(x.to(at::kDouble)), 1e-5)) << width;
    EXPECT_TRUE(close(row_products(matrix.t().contiguous().t(), x), matrix.mv(x), 1e-5)) << "strided, " << width;
  }
}

TEST(Rows, ARowIsCopiedFromBetweenOthersAndWidened) {
  at::manual_seed(2);
  const at::Tensor wide = at::randn({3, 5, 4}), narrow = wide.to(at::kBFloat16);
  const at::Tensor queries = narrow.narrow(1, 0, 2);  // [3, 2, 4], 20 numbers from row to row
  at::Tensor same = at::zeros({4, 8}, at::kBFloat16), widened = at::zeros({8});
  copy_row(queries, 2, same, 1);
  copy_row(queries, 1, widened, 0);
  EXPECT_TRUE(same[1].equal(queries[2].reshape({8})));
  EXPECT_EQ(same.abs().sum(1).count_nonzero().item<int64_t>(), 1) << "other rows stay as they are";
  EXPECT_TRUE(widened.equal(queries[1].reshape({8}).to(at::kFloat)));
}

TEST(Rows, AreGatheredInTheOrderAskedFor) {
  at::manual_seed(3);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor x = at::randn({2, 12}).to(type), rows = at::tensor({5, 0, 5}, at::kLong);
    at::Tensor same = at::zeros({3, 4}, type), widened = at::zeros({3, 4});
    gather_rows(x, rows, same);
    gather_rows(x, rows, widened);
    EXPECT_TRUE(same.equal(x.view({6, 4}).index_select(0, rows)));
    EXPECT_TRUE(widened.equal(same.to(at::kFloat)));
  }
}

}  // namespace
}  // namespace openbook::engine
