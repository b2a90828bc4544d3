// Copy and write scores on a tiny random Llama, against what its own taps say.
#include "needle_scores.h"

#include <numeric>
#include <random>

#include "base/test_support.h"
#include "engine/tiny_llama.h"
#include "openbook/engine/batch_session.h"

namespace openbook::attribution {
namespace {

using engine::TokenId;
using engine::test::close;
using engine::test::load_tiny;

class Needle : public testing::TestWithParam<std::string> {
 protected:
  const std::shared_ptr<const engine::Model> model_ = load_tiny(GetParam());
  const engine::Decoder decoder_{model_};

  // A prompt of all different tokens that holds the one that the model says after it.
  std::vector<TokenId> prompt_with_answer(uint64_t seed) const {
    std::mt19937_64 random(seed);
    for (int attempt = 0; attempt < 100; ++attempt) {
      std::vector<TokenId> prompt(static_cast<size_t>(model_->config().vocabulary));
      std::iota(prompt.begin(), prompt.end(), 0);
      for (size_t left = prompt.size(); left > 1; --left) std::swap(prompt[left - 1], prompt[random() % left]);
      prompt.resize(prompt.size() * 3 / 4);
      const TokenId said = engine::BatchSession(decoder_, {prompt}, 0).choose()[0];
      if (!model_->tokenizer().is_special(said) && std::find(prompt.begin(), prompt.end(), said) != prompt.end()) return prompt;
    }
    throw std::logic_error("no prompt holds what the model says after it");
  }

  static std::vector<int64_t> positions(int64_t begin, int64_t end) {
    std::vector<int64_t> range(static_cast<size_t>(end - begin));
    std::iota(range.begin(), range.end(), begin);
    return range;
  }

  NeedleScores one_step(const std::vector<NeedleTrial>& trials) const {
    return needle_scores(decoder_, trials, {.max_tokens = 1});
  }
};
INSTANTIATE_TEST_SUITE_P(TinyLlama, Needle, testing::ValuesIn(engine::test::kTinyLlamas),
                         [](const auto& info) { return info.param; });

TEST_P(Needle, WhenTheNeedleIsEverythingTheWriteScoreIsWhatTheHeadWrote) {
  const engine::ModelConfig& config = model_->config();
  const std::vector<TokenId> prompt = prompt_with_answer(1);
  const NeedleScores scores = one_step({{prompt, positions(0, static_cast<int64_t>(prompt.size())), 1}});
  const engine::BatchSession session(decoder_, {prompt}, 0, {.observe = true});
  const at::Tensor u = model_->unembedding()[session.choose()[0]].to(at::kFloat);
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const at::Tensor written =
        at::matmul(u, model_->layer(layer).attention_out.to(at::kFloat)).view({config.heads, config.d_head});
    EXPECT_TRUE(close(scores.write[layer], (written * session.observed().z[0][layer]).sum(1), 1e-4));
  }
  EXPECT_TRUE(close(scores.attention, at::ones({config.layers, config.heads}), 1e-5));
}

TEST_P(Needle, ScoresContrastTheNeedleWithTheRest) {
  const engine::ModelConfig& config = model_->config();
  const std::vector<TokenId> prompt = prompt_with_answer(2);
  const engine::BatchSession session(decoder_, {prompt}, 0, {.observe = true});
  const TokenId said = session.choose()[0];
  const auto tokens = static_cast<int64_t>(prompt.size());
  const int64_t place = std::find(prompt.begin(), prompt.end(), said) - prompt.begin();
  std::vector<int64_t> needle = {place};
  for (int64_t token = 0; token < 7; ++token)
    if (token != place) needle.push_back(token);
  const NeedleScores scores = one_step({{prompt, needle, 4}});

  const at::Tensor pattern = session.pattern(session.observed().queries, session.observed().positions, tokens)[0].view(
      {config.layers, config.heads, tokens});
  const at::Tensor inside = pattern.index_select(2, at::tensor(needle)).sum(2);
  const double ratio = static_cast<double>(needle.size()) / static_cast<double>(tokens - static_cast<int64_t>(needle.size()));
  EXPECT_TRUE(close(scores.attention, inside - ratio * (pattern.sum(2) - inside), 1e-4));
  EXPECT_TRUE(close(scores.copy, (pattern.argmax(2) == place).to(at::kDouble) / 4,
                    1e-6));  // all tokens differ: equal to what was said only there
}

TEST_P(Needle, TrialsAreAveragedAndThoseNotKeptLeftOut) {
  std::vector<NeedleTrial> trials;
  for (const uint64_t seed : {3, 4, 5})
    trials.push_back({prompt_with_answer(seed), positions(0, 40 + static_cast<int64_t>(seed)), 2});
  trials[1].prompt.resize(trials[1].prompt.size() - 20);
  const NeedleOptions options{.max_tokens = 4, .keep = [](size_t trial, const std::string&) { return trial != 2; }};
  const NeedleScores together = needle_scores(decoder_, trials, options);
  EXPECT_EQ(together.trials, 2);
  const NeedleScores first = needle_scores(decoder_, {trials[0]}, {.max_tokens = 4}),
                     second = needle_scores(decoder_, {trials[1]}, {.max_tokens = 4});
  EXPECT_TRUE(close(together.write, (first.write + second.write) / 2, 1e-4));
  EXPECT_TRUE(close(together.attention, (first.attention + second.attention) / 2, 1e-4));
  EXPECT_TRUE(close(together.copy, (first.copy + second.copy) / 2, 1e-6));
}

TEST(Needle, WithoutTrialsEveryScoreIsZero) {
  const auto model = load_tiny("plain");
  const NeedleScores none = needle_scores(engine::Decoder(model), {}, {});
  EXPECT_EQ(none.trials, 0);
  EXPECT_EQ(none.copy.abs().sum().item<double>(), 0);
  EXPECT_EQ(none.write.size(0), model->config().layers);
}

}  // namespace
}  // namespace openbook::attribution
