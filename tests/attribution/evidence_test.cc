#include "openbook/attribution/evidence.h"

#include <cmath>
#include <numeric>

#include "attribution/relevance_golden.h"
#include "base/test_support.h"
#include "openbook/engine/decoder.h"

namespace openbook::attribution {
namespace {

class Evidence : public testing::TestWithParam<std::string> {
 protected:
  const std::shared_ptr<const engine::Model> model_ = test::tiny_llama(GetParam());
  const std::vector<engine::HeadId> heads_ = test::all_heads(model_->config());
};
INSTANTIATE_TEST_SUITE_P(TinyLlama, Evidence, testing::ValuesIn(test::tiny_llamas()));

TEST_P(Evidence, EqualsWhatEachHeadWroteOfTheLogit) {
  for (const auto& golden : test::relevance_goldens(GetParam())) {
    engine::KvCache cache(*model_, 64);
    engine::HeadTaps taps(*model_, heads_, {0, 24});
    engine::Decoder(model_).step({{.tokens = golden.tokens, .cache = &cache, .taps = &taps}});
    test::expect_close(at::tensor(EvidenceReader(model_, heads_).read(taps, golden.target)), golden.evidence, 1e-4);
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
  test::expect_close(at::tensor(EvidenceReader(model_, chosen).read(taps, golden.target)), expected, 1e-4);
}

TEST_P(Evidence, BadHeadsAndTokensAreRefused) {
  engine::HeadTaps taps(*model_, {{0, 0}}, {0, 1});
  EXPECT_ERROR(EvidenceReader(model_, {}), Code::kInvalidArgument, "no heads");
  EXPECT_ERROR(EvidenceReader(model_, {{9, 0}}), Code::kInvalidArgument, "L9H0");
  EXPECT_ERROR(EvidenceReader(model_, {{0, 1}}).read(taps, 3), Code::kInvalidArgument, "other heads");
  EXPECT_ERROR(EvidenceReader(model_, {{0, 0}}).read(taps, -1), Code::kInvalidArgument, "token -1");
}

}  // namespace
}  // namespace openbook::attribution
