// all-MiniLM-L6-v2 as it is shipped.
#include "base/test_support.h"
#include "engine/embeddings.h"

namespace openbook::engine {
namespace {

class MiniLm : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (const auto folder = test::model_folder("all-minilm-l6-v2")) encoder_ = TextEncoder::load(*folder);
  }
  static void TearDownTestSuite() { encoder_.reset(); }
  void SetUp() override {
    if (!encoder_) GTEST_SKIP() << "all-minilm-l6-v2 is not there; cmake/setup.sh fetches it";
  }
  static inline std::shared_ptr<const TextEncoder> encoder_;
};

TEST_F(MiniLm, EqualsTransformers) {
  EXPECT_EQ(encoder_->dimension(), 384);
  EXPECT_EQ(encoder_->max_tokens(), 254);
  EXPECT_EQ(encoder_->name(), "all-minilm-l6-v2");
  test::expect_embeddings(*encoder_, test::read_embeddings(test::golden("minilm_embeddings.jsonl")));
}

TEST_F(MiniLm, BatchedEqualsSingle) {
  test::expect_batched_equals_single(*encoder_, test::read_embeddings(test::golden("minilm_embeddings.jsonl")).texts);
}

TEST_F(MiniLm, AParaphraseIsCloserThanAnotherSubject) {
  const std::vector<float> v = encoder_->embed(
      {"How many days off do I get?", "Employees are entitled to 30 days of annual leave.", "The warehouse is painted green."});
  const std::span<const float> all(v);
  EXPECT_GT(test::cosine(all.subspan(0, 384), all.subspan(384, 384)),
            test::cosine(all.subspan(0, 384), all.subspan(768, 384)) + 0.2);
}

}  // namespace
}  // namespace openbook::engine
