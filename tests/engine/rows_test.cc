#include "openbook/engine/rows.h"

#include "base/test_support.h"
#include "engine/tiny_llama.h"

namespace openbook::engine {
namespace {

using test::close;

TEST(Rows, ReadoutProductsEqualTheFormulaInFloat64) {
  for (const std::string& name : test::kTinyLlamas) {
    for (const char* dtype : {"float32", "bfloat16"}) {
      const auto model = test::load_tiny(name, {.dtype = dtype});
      const int64_t width = model->config().d_model;
      at::manual_seed(1);
      const at::Tensor matrix = at::randn({19, width}).to(model->dtype()), resid = at::randn({width}) * 3;
      const auto wide = [](const at::Tensor& x) { return x.to(at::kDouble); };
      const at::Tensor readout = wide(model->unembedding()[7]) * wide(model->final_norm()) /
                                 (wide(resid).square().mean() + model->config().norm_epsilon).sqrt();
      EXPECT_TRUE(close(readout_products(matrix, *model, 7, resid), wide(matrix).mv(readout), 1e-5)) << name << ", " << dtype;
    }
  }
}

TEST(Rows, ReadoutProductsRefuseAnotherModelsMatrixAndToken) {
  const auto model = test::load_tiny("plain");
  const int64_t width = model->config().d_model;
  const at::Tensor matrix = at::zeros({3, width}), resid = at::ones({width});
  EXPECT_ERROR(readout_products(at::zeros({3, width + 1}), *model, 7, resid), Code::kInvalidArgument, "not the model's");
  EXPECT_ERROR(readout_products(at::zeros({width, 3}).t(), *model, 7, resid), Code::kInvalidArgument, "not the model's");
  EXPECT_ERROR(readout_products(matrix, *model, -1, resid), Code::kInvalidArgument, "token -1");
  EXPECT_ERROR(readout_products(matrix, *model, model->config().vocabulary, resid), Code::kInvalidArgument,
               "outside the vocabulary");
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
