// Heads removed from tiny random Llamas: orders, gains, scores of the next token, and the choice of what to remove.
#include "report/removal.h"

#include <algorithm>
#include <random>
#include <set>

#include "base/test_support.h"
#include "batches.h"
#include "case_runner.h"
#include "engine/tiny_llama.h"
#include "report/finders.h"
#include "report/surgery_choice.h"

namespace openbook::attribution {
namespace {

using engine::test::close;
using engine::test::kTinyLlamas;
using engine::test::load_tiny;

// An atlas of 3 layers with 4 heads whose scores are all different.
HeadAtlas atlas_of_scores() {
  HeadAtlas atlas;
  atlas.layers = 3;
  atlas.heads = 4;
  for (int i = 0; i < 12; ++i) {
    atlas.difference_score.push_back((i * 7 % 12 - 5.5) / 12);
    atlas.task_score.push_back((i * 5 % 12) / 24.0);
    atlas.retrieval_score.push_back((i * 11 % 12) / 24.0);
  }
  return atlas;
}

TEST(RemovalOrders, EachNamesEveryHeadOnce) {
  const std::vector<HeadOrder> orders = removal_orders(atlas_of_scores(), 5, 1);
  ASSERT_EQ(orders.size(), 10u);
  for (const HeadOrder& order : orders) {
    EXPECT_EQ(order.heads.size(), 12u) << order.name;
    EXPECT_EQ(std::set<engine::HeadId>(order.heads.begin(), order.heads.end()).size(), 12u) << order.name;
  }
}

TEST(RemovalOrders, FollowTheAtlasesScores) {
  const HeadAtlas atlas = atlas_of_scores();
  std::map<std::string, HeadSet> orders;
  for (const HeadOrder& order : removal_orders(atlas, 2, 1)) orders[order.name] = order.heads;
  const auto at = [](engine::HeadId head) { return static_cast<size_t>(head.layer * 4 + head.head); };
  for (size_t i = 1; i < 12; ++i) {
    EXPECT_GT(atlas.difference_score[at(orders["in_context"][i - 1])], atlas.difference_score[at(orders["in_context"][i])]);
    EXPECT_LT(atlas.difference_score[at(orders["parametric"][i - 1])], atlas.difference_score[at(orders["parametric"][i])]);
    EXPECT_GT(atlas.task_score[at(orders["task"][i - 1])], atlas.task_score[at(orders["task"][i])]);
    EXPECT_GT(atlas.retrieval_score[at(orders["retrieval"][i - 1])], atlas.retrieval_score[at(orders["retrieval"][i])]);
  }
  EXPECT_NE(orders["random 1"], orders["random 2"]);
  EXPECT_EQ(removal_orders(atlas, 1, 1).back().heads, orders["random 1"]);
  EXPECT_NE(removal_orders(atlas, 1, 2).back().heads, orders["random 1"]);
}

TEST(RemovalList, KeepsASetOnceWhateverItsOrder) {
  RemovalList list;
  EXPECT_EQ(list.add({}), 0u);
  EXPECT_EQ(list.add({{1, 2}, {0, 3}}), 1u);
  EXPECT_EQ(list.add({{0, 3}, {1, 2}}), 1u);
  EXPECT_EQ(list.add({{0, 3}}), 2u);
  EXPECT_EQ(list.sets().size(), 3u);
}

// What log_probability_without needs of a laboratory: a model.
struct TinyLaboratory {
  explicit TinyLaboratory(const std::string& name) : decoder(load_tiny(name)) { lab.decoder = &decoder; }

  std::vector<NextToken> cases(const std::vector<size_t>& sizes) const {
    std::mt19937_64 random(5);
    std::vector<NextToken> cases;
    for (const size_t size : sizes) {
      NextToken next{std::vector<engine::TokenId>(size), static_cast<engine::TokenId>(random() % 200)};
      for (engine::TokenId& id : next.tokens) id = static_cast<engine::TokenId>(random() % 200);
      cases.push_back(std::move(next));
    }
    return cases;
  }

  engine::Decoder decoder;
  Laboratory lab;
};

// log p of the case's next token with heads removed by HeadEdits, one sequence at a time.
double log_probability_alone(const engine::Decoder& decoder, const NextToken& next, const HeadSet& removed) {
  engine::HeadEdits edits(decoder.model());
  edits.from_position = 0;
  for (const engine::HeadId head : removed) edits.set_gain(head, 0);
  const at::Tensor logits = engine::test::run_whole(decoder, next.tokens, &edits)[-1];
  return (logits[next.next] - logits.logsumexp(0)).item<double>();
}

class Removal : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(TinyLlama, Removal, testing::ValuesIn(kTinyLlamas), [](const auto& info) { return info.param; });

TEST_P(Removal, ABatchOfRemovalsEqualsOneAtATime) {
  const TinyLaboratory tiny(GetParam());
  const std::vector<NextToken> cases = tiny.cases({9, 30, 14});
  const std::vector<HeadSet> removals = {{}, {{0, 1}}, {{1, 0}, {0, 2}}, {{1, 3}}};
  const at::Tensor scores = log_probability_without(tiny.lab, cases, removals, "");
  for (size_t removal = 0; removal < removals.size(); ++removal)
    for (size_t i = 0; i < cases.size(); ++i)
      EXPECT_NEAR(scores[static_cast<int64_t>(removal)][static_cast<int64_t>(i)].item<double>(),
                  log_probability_alone(tiny.decoder, cases[i], removals[removal]), 1e-4);
}

TEST_P(Removal, RemovingNothingChangesNoAnswerAndRemovingEverythingDoes) {
  const TinyLaboratory tiny(GetParam());
  const HeadSet all = engine::test::all_heads(tiny.decoder.model());
  std::vector<RemovalTrial> trials;
  std::vector<std::string> unedited;
  for (const NextToken& each : tiny.cases({20, 33, 8, 15, 27, 11, 40, 18, 25, 13, 9, 31})) {
    const RemovalTrial trial{.prompt = each.tokens, .document_answer = "no such answer", .memory_answers = {"nor this"}};
    try {  // the tiny models may say tokens that their tokenizer does not have
      say_without(tiny.lab, {trial}, {all}, "");
      unedited.push_back(say_all(tiny.decoder, {each.tokens}).at(0));
      trials.push_back(trial);
    } catch (const Error&) {
    }
  }
  ASSERT_FALSE(trials.empty());
  const auto said = say_without(tiny.lab, trials, {{}, all, {}}, "");
  EXPECT_EQ(said[0], unedited);
  EXPECT_EQ(said[2], said[0]);
  EXPECT_NE(said[1], said[0]);
}

TEST_P(Removal, AblationEffectIsTheDropOfEveryHead) {
  const TinyLaboratory tiny(GetParam());
  const std::vector<NextToken> cases = tiny.cases({10, 22});
  const at::Tensor effect = ablation_effect(tiny.lab, cases, "");
  for (const engine::HeadId head : engine::test::all_heads(tiny.decoder.model())) {
    double drop = 0;
    for (const NextToken& each : cases)
      drop += (log_probability_alone(tiny.decoder, each, {}) - log_probability_alone(tiny.decoder, each, {head})) / 2;
    EXPECT_NEAR(effect[head.layer][head.head].item<double>(), drop, 1e-4) << engine::to_string(head);
  }
}

TEST(Removal, AHeadThatTheModelLacksIsRefused) {
  const TinyLaboratory tiny("plain");
  EXPECT_ERROR(log_probability_without(tiny.lab, tiny.cases({5}), {{{99, 0}}}, ""), Code::kInvalidArgument, "L99H0");
}

TEST(RemovalTrial, RightIsTheDocumentsAnswerWhereADocumentContradictsMemory) {
  RemovalTrial trial{.document_answer = "Oslo", .memory_answers = {"Paris", "the city of light"}};
  EXPECT_TRUE(trial.right("It is Oslo."));
  EXPECT_FALSE(trial.right("Paris, not Oslo"));
  EXPECT_TRUE(trial.answered("Paris"));
  EXPECT_FALSE(trial.answered("I do not know"));
  trial.book = Book::kClosed;
  EXPECT_TRUE(trial.right("The City of Light"));
  EXPECT_FALSE(trial.right("Oslo"));
}

}  // namespace
}  // namespace openbook::attribution
