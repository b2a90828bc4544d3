#include <fstream>

#include "base/test_support.h"
#include "engine/tiny_llama.h"

namespace openbook::engine {
namespace {

class SmolLm2 : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (const auto folder = openbook::test::model_folder("smollm2-135m-instruct")) model_ = Model::load(*folder);
  }
  static void TearDownTestSuite() { model_.reset(); }
  void SetUp() override {
    if (!model_) GTEST_SKIP() << "build/models/smollm2-135m-instruct is not there; cmake/setup.sh makes it";
  }

  static inline std::shared_ptr<const Model> model_;
};

TEST_F(SmolLm2, Top20LogitsEqualTransformers) {
  const Decoder decoder(model_);
  const auto rows = nlohmann::json::parse(std::ifstream(openbook::test::golden("smollm2_top20.json")));
  ASSERT_EQ(rows.size(), 4u);
  for (const auto& row : rows) {
    SCOPED_TRACE(row["prompt"].get<std::string>());
    const auto ids = row["ids"].get<std::vector<TokenId>>();
    KvCache cache(*model_, 256);
    const auto [values, indices] = decoder.step({{.tokens = ids, .cache = &cache}}).at(0).logits[0].topk(20);
    const auto golden = at::tensor(row["top_logits"].get<std::vector<float>>());
    EXPECT_TRUE(test::close(values, golden, 1e-4));
    const auto golden_ids = row["top_ids"].get<std::vector<int64_t>>();
    for (int64_t i = 0; i < 20; ++i) {
      // Neighbours whose logits differ by less than the tolerance may change places.
      const bool tied = (i > 0 && (golden[i - 1] - golden[i]).item<float>() < 2e-3f) ||
                        (i < 19 && (golden[i] - golden[i + 1]).item<float>() < 2e-3f);
      if (!tied) {
        EXPECT_EQ(indices[i].item<int64_t>(), golden_ids[i]) << "place " << i;
      }
    }
  }
}

TEST_F(SmolLm2, TheTokenizerGivesTheGoldensIds) {
  const auto rows = nlohmann::json::parse(std::ifstream(openbook::test::golden("smollm2_top20.json")));
  for (const auto& row : rows) {
    std::vector<TokenId> ids;
    for (const Token& token : model_->tokenizer().encode(row["prompt"].get<std::string>(), {.parse_special = true}))
      ids.push_back(token.id);
    EXPECT_EQ(ids, row["ids"].get<std::vector<TokenId>>());
  }
}

}  // namespace
}  // namespace openbook::engine
