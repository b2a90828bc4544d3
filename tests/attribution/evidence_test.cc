#include "openbook/attribution/evidence.h"

#include <cmath>
#include <numeric>

#include "attribution/relevance_golden.h"
#include "base/test_support.h"
#include "batch_evidence.h"
#include "openbook/engine/decoder.h"

namespace openbook::attribution {
namespace {

using engine::test::close;
using engine::test::kTinyLlamas;
using engine::test::load_tiny;

class Evidence : public testing::TestWithParam<std::string> {
 protected:
  const std::shared_ptr<const engine::Model> model_ = load_tiny(GetParam());
  const std::vector<engine::HeadId> heads_ = engine::test::all_heads(*model_);
};
INSTANTIATE_TEST_SUITE_P(TinyLlama, Evidence, testing::ValuesIn(kTinyLlamas));

TEST_P(Evidence, EqualsWhatEachHeadWroteOfTheLogit) {
  for (const auto& golden : test::relevance_goldens(GetParam())) {
    engine::KvCache cache(*model_, 64);
    engine::HeadTaps taps(*model_, heads_, {0, 24});
    engine::Decoder(model_).step({{.tokens = golden.tokens, .cache = &cache, .taps = &taps}});
    EXPECT_TRUE(close(at::tensor(EvidenceReader(model_, heads_).read(taps, golden.target)), golden.evidence, 1e-4));
  }
}

TEST_P(Evidence, KeepsTheOrderOfItsHeads) {
  const auto golden = test::relevance_goldens(GetParam()).at(0);
  const std::vector<engine::HeadId> chosen = {{1, 2}, {0, 3}, {1, 0}};
  engine::KvCache cache(*model_, 64);
  engine::HeadTaps taps(*model_, chosen, {0, 24});
  engine::Decoder(model_).step({{.tokens = golden.tokens, .cache = &cache, .taps = &taps}});
  const int64_t heads = model_->config().heads;
  const at::Tensor expected = golden.evidence.index_select(0, at::tensor({heads + 2, int64_t{3}, heads}));
  EXPECT_TRUE(close(at::tensor(EvidenceReader(model_, chosen).read(taps, golden.target)), expected, 1e-4));
}

TEST_P(Evidence, BfloatWeightsAreSummedInFloat) {
  const auto narrow = load_tiny(GetParam(), {.dtype = "bfloat16"});
  engine::HeadTaps taps(*narrow, heads_, {0, 1});
  at::manual_seed(8);
  taps.z().normal_();
  taps.resid_final().normal_();
  // The same from the rounded weights in float64.
  const engine::ModelConfig& config = narrow->config();
  const at::Tensor resid = taps.resid_final().to(at::kDouble);
  const at::Tensor readout = narrow->unembedding()[9].to(at::kDouble) * narrow->final_norm().to(at::kDouble) /
                             (resid.square().mean() + config.norm_epsilon).sqrt();
  std::vector<at::Tensor> expected;
  for (size_t i = 0; i < heads_.size(); ++i) {
    const at::Tensor columns =
        narrow->layer(heads_[i].layer).attention_out.narrow(1, heads_[i].head * config.d_head, config.d_head).to(at::kDouble);
    expected.push_back(columns.mv(taps.z()[int64_t(i)].to(at::kDouble)).dot(readout));
  }
  EXPECT_TRUE(close(at::tensor(EvidenceReader(narrow, heads_).read(taps, 9)), at::stack(expected), 1e-5));
}

TEST_P(Evidence, BadHeadsAndTokensAreRefused) {
  engine::HeadTaps taps(*model_, {{0, 0}}, {0, 1});
  EXPECT_ERROR(EvidenceReader(model_, {}), Code::kInvalidArgument, "no heads");
  EXPECT_ERROR(EvidenceReader(model_, {{9, 0}}), Code::kInvalidArgument, "L9H0");
  EXPECT_ERROR(EvidenceReader(model_, {{0, 1}}).read(taps, 3), Code::kInvalidArgument, "other heads");
  EXPECT_ERROR(EvidenceReader(model_, {{0, 0}}).read(taps, -1), Code::kInvalidArgument, "token -1");
}

TEST_P(Evidence, OfABatchEqualsTheFormulasOfShareAndLens) {
  const engine::ModelConfig& config = model_->config();
  at::manual_seed(3);
  engine::BatchObservation observed;
  observed.z = at::randn({2, config.layers, config.heads, config.d_head});
  observed.resid_post = at::randn({2, config.layers, config.d_model});
  const std::vector<engine::TokenId> tokens = {5, 17};
  const auto normed = [&](const at::Tensor& x, const at::Tensor& length_of) {
    return x / (length_of.square().mean() + config.norm_epsilon).sqrt() * model_->final_norm().to(at::kDouble);
  };
  at::Tensor share = at::empty({2, config.layers * config.heads}, at::kDouble), lens = at::empty_like(share);
  for (int64_t row = 0; row < 2; ++row)
    for (int64_t i = 0; i < share.size(1); ++i) {
      const int64_t layer = i / config.heads, head = i % config.heads;
      const at::Tensor columns = model_->layer(layer).attention_out.narrow(1, head * config.d_head, config.d_head);
      const at::Tensor written = columns.to(at::kDouble).mv(observed.z[row][layer][head].to(at::kDouble));
      const at::Tensor of_token = model_->unembedding()[tokens[static_cast<size_t>(row)]].to(at::kDouble);
      share[row][i] = normed(written, observed.resid_post[row][config.layers - 1].to(at::kDouble)).dot(of_token);
      lens[row][i] = normed(written, written).dot(of_token);
    }
  const BatchEvidence evidence(model_);
  EXPECT_TRUE(close(evidence.read(observed, tokens), share, 1e-4));
  EXPECT_TRUE(close(evidence.lens(observed, tokens), lens, 1e-4));
}

}  // namespace
}  // namespace openbook::attribution
