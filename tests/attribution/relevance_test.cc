#include "openbook/attribution/relevance.h"

#include <cmath>
#include <cstring>
#include <fstream>

#include "attribution/relevance_golden.h"
#include "base/test_support.h"
#include "openbook/base/file.h"
#include "relevance_pass.h"

namespace openbook::attribution {
namespace {

using engine::test::close;
using engine::test::kTinyLlamas;
using engine::test::load_tiny;

void expect_golden(const HeadRelevance& actual, const test::RelevanceGolden& expected, double tolerance = 1e-4) {
  EXPECT_NEAR(actual.logit, expected.logit, tolerance * std::abs(expected.logit) + 1e-5);
  EXPECT_TRUE(close(actual.heads, expected.heads, tolerance));
  EXPECT_TRUE(close(actual.keys, expected.keys, tolerance));
  EXPECT_TRUE(close(actual.tokens, expected.token_relevance, tolerance));
}

class RelevanceOf : public testing::TestWithParam<std::string> {
 protected:
  const std::shared_ptr<const engine::Model> model_ = load_tiny(GetParam());
  const std::vector<test::RelevanceGolden> goldens_ = test::relevance_goldens(GetParam());

  RelevanceRequest request(const test::RelevanceGolden& golden, bool keys = true) const {
    return {golden.tokens, golden.target, keys};
  }
};
INSTANTIATE_TEST_SUITE_P(TinyLlama, RelevanceOf, testing::ValuesIn(kTinyLlamas));

TEST_P(RelevanceOf, HeadsKeysAndTokensEqualAutogradUnderTheRules) {
  const Relevance relevance(model_);
  for (const auto& golden : goldens_) expect_golden(relevance.of({request(golden)}).at(0), golden);
}

TEST_P(RelevanceOf, ThePlainGradientEqualsAutograd) {
  std::vector<RelevanceRequest> requests;
  for (const auto& golden : goldens_) requests.push_back(request(golden));
  const std::vector<HeadRelevance> found = Relevance(model_, BackwardRules::kPlainGradient).of(requests);
  for (size_t i = 0; i < goldens_.size(); ++i) {
    EXPECT_TRUE(close(found[i].heads, goldens_[i].gradient_heads, 1e-4));
    EXPECT_TRUE(close(found[i].keys, goldens_[i].gradient_keys, 1e-4));
    EXPECT_TRUE(close(found[i].tokens, goldens_[i].gradient_tokens, 1e-4));
  }
}

TEST_P(RelevanceOf, ABatchOfDifferentLengthsEqualsEachAlone) {
  std::vector<RelevanceRequest> requests;
  for (const auto& golden : goldens_) requests.push_back(request(golden));
  const std::vector<HeadRelevance> together = Relevance(model_).of(requests);
  for (size_t i = 0; i < goldens_.size(); ++i) expect_golden(together[i], goldens_[i]);
}

TEST_P(RelevanceOf, KeysAreFilledOnlyWhenAskedFor) {
  const auto results = Relevance(model_).of({request(goldens_[0], false), request(goldens_[0], true)});
  EXPECT_FALSE(results[0].keys.defined());
  EXPECT_TRUE(results[1].keys.defined());
  EXPECT_TRUE(close(results[0].heads, results[1].heads, 1e-5));
}

// All sequences of a batch at once, at a given rule and tape.
BatchRelevance pass_over(const engine::Model& model, const std::vector<test::RelevanceGolden>& goldens,
                         const RelevancePassOptions& options) {
  at::Tensor tokens = at::zeros({int64_t(goldens.size()), 24}, at::kLong),
             lengths = at::empty({int64_t(goldens.size())}, at::kLong);
  at::Tensor targets = at::empty_like(lengths);
  for (size_t row = 0; row < goldens.size(); ++row) {
    lengths[row] = int64_t(goldens[row].tokens.size());
    targets[row] = int64_t(goldens[row].target);
    for (size_t i = 0; i < goldens[row].tokens.size(); ++i) tokens[row][i] = int64_t(goldens[row].tokens[i]);
  }
  return relevance_pass(model, tokens, lengths, targets, options);
}

// Biases keep their share, so the biased model does not conserve.
class RelevanceWithoutBiases : public RelevanceOf {};
INSTANTIATE_TEST_SUITE_P(TinyLlama, RelevanceWithoutBiases, testing::Values("plain", "tied_llama3_rope"));

TEST_P(RelevanceWithoutBiases, AttentionHeldConstantConservesTheLogit) {
  const BatchRelevance found = pass_over(*model_, goldens_, {.attention = lrp::AttentionRule::kHeldConstant});
  for (size_t row = 0; row < goldens_.size(); ++row) {
    const double logit = found.logits[row].item<double>();
    EXPECT_NEAR(found.tokens[row].to(at::kDouble).sum().item<double>(), logit, 1e-4 * std::abs(logit));
  }
}

TEST_P(RelevanceOf, LayersThatRunTwiceGiveTheSame) {
  const BatchRelevance kept = pass_over(*model_, goldens_, {.key_relevance = true});
  for (const int64_t kept_layers : {0, 1}) {
    const int64_t bytes = kept_layers * tape_bytes_a_token(model_->config()) * int64_t(goldens_.size()) * 24;
    const BatchRelevance again = pass_over(*model_, goldens_, {.key_relevance = true, .tape_bytes = bytes});
    EXPECT_TRUE(again.heads.equal(kept.heads));
    EXPECT_TRUE(again.keys.equal(kept.keys));
    EXPECT_TRUE(again.tokens.equal(kept.tokens));
  }
  const RelevancePassOptions plain{.rules = BackwardRules::kPlainGradient};
  RelevancePassOptions twice = plain;
  twice.tape_bytes = 0;
  EXPECT_TRUE(pass_over(*model_, goldens_, twice).heads.equal(pass_over(*model_, goldens_, plain).heads));
}

TEST_P(RelevanceOf, BfloatWeightsStayCloseToFloat) {
  const auto rounded = Relevance(load_tiny(GetParam(), {.dtype = "bfloat16"})).of({request(goldens_[0])}).at(0);
  EXPECT_EQ(rounded.heads.scalar_type(), at::kFloat);
  expect_golden(rounded, goldens_[0], 0.1);
}

TEST(Relevance, BadRequestsAreRefusedByIndex) {
  const auto model = load_tiny("plain");
  const Relevance relevance(model);
  const auto vocabulary = engine::TokenId(model->config().vocabulary);
  EXPECT_TRUE(relevance.of({}).empty());
  EXPECT_ERROR(relevance.of({{.tokens = {}}}), Code::kInvalidArgument, "request 0: no tokens");
  EXPECT_ERROR(relevance.of({{.tokens = {1}}, {.tokens = {1, vocabulary}}}), Code::kInvalidArgument, "request 1: position 1");
  EXPECT_ERROR(relevance.of({{.tokens = {1}, .target = -1}}), Code::kInvalidArgument, "target is token -1");
  const std::vector<engine::TokenId> long_prompt(model->config().max_positions + 1, 3);
  EXPECT_ERROR(relevance.of({{.tokens = long_prompt}}), Code::kOutOfRange, "513 tokens, the model has 512 positions");
}

// A copy of the plain tiny Llama with one weight of `tensor` overwritten.
void write_damaged_model(const std::filesystem::path& folder, const std::string& tensor, float value) {
  std::filesystem::copy(openbook::test::golden("tiny_llama") / "plain", folder);
  std::string bytes = read_file(folder / "model.safetensors");
  uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), sizeof(header_size));
  const auto header = nlohmann::json::parse(bytes.substr(8, header_size));
  std::memcpy(bytes.data() + 8 + header_size + header[tensor]["data_offsets"][0].get<size_t>(), &value, sizeof(value));
  write_file_atomically(folder / "model.safetensors", bytes);
}

TEST(Relevance, NotANumberIsNamedByTheLayerWhereItBegan) {
  const openbook::test::TemporaryFolder folder;
  struct Row {
    std::string tensor;
    float value;
    const char* piece;
  };
  const std::vector<Row> rows = {
      {"model.layers.0.self_attn.o_proj.weight", NAN, "layer 0: the residual stream"},
      {"model.layers.1.mlp.down_proj.weight", INFINITY, "layer 1: the residual stream"},
      {"model.norm.weight", NAN, "layer 1: its relevance"},
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto damaged = folder / std::to_string(i);
    write_damaged_model(damaged, rows[i].tensor, rows[i].value);
    EXPECT_ERROR(Relevance(engine::Model::load(damaged)).of({{.tokens = {3, 4, 5}, .target = 6}}), Code::kInternal,
                 rows[i].piece);
  }
}

TEST(Relevance, ALongPromptInSeveralBlocksEqualsItselfInABatch) {
  const auto model = load_tiny("plain");
  std::vector<engine::TokenId> prompt;
  for (int i = 0; i < 500; ++i) prompt.push_back(3 + (i * 37) % 200);
  std::vector<engine::TokenId> shorter(prompt.begin(), prompt.begin() + 400);
  const auto alone = Relevance(model).of({{prompt, 9, true}}).at(0);
  const auto pair = Relevance(model).of({{shorter, 9, true}, {prompt, 9, true}});
  EXPECT_TRUE(close(pair[1].heads, alone.heads, 1e-4));
  EXPECT_TRUE(close(pair[1].keys, alone.keys, 1e-4));
  EXPECT_EQ(pair[0].tokens.size(0), 400);
  EXPECT_EQ(pair[0].keys.size(2), 400);
}

}  // namespace
}  // namespace openbook::attribution
