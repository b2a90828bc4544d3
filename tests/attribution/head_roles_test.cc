#include "openbook/attribution/head_roles.h"

#include <cmath>

#include "base/test_support.h"

namespace openbook::attribution {
namespace {

using Heads = std::vector<engine::HeadId>;

TEST(HeadRoles, BestFirstWithTiesByLayerThenHead) {
  const at::Tensor score = at::tensor({1.0, 5.0, 2.0, 5.0, -3.0, 2.0}, at::kDouble).view({2, 3});
  EXPECT_EQ(largest(score, 4), (Heads{{0, 1}, {1, 0}, {0, 2}, {1, 2}}));
  EXPECT_EQ(smallest(score, 3), (Heads{{1, 1}, {0, 0}, {0, 2}}));
  EXPECT_TRUE(largest(score, 0).empty());
  EXPECT_EQ(largest(score, 6).size(), 6u);
}

TEST(HeadRoles, BadScoresAreRefused) {
  EXPECT_ERROR(largest(at::zeros({2, 3}), 7), Code::kInvalidArgument, "7 heads asked for, the model has 6");
  EXPECT_ERROR(smallest(at::zeros({2, 3}), -1), Code::kInvalidArgument, "-1 heads");
  EXPECT_ERROR(largest(at::zeros({3}), 1), Code::kInvalidArgument, "[layers, heads]");
  EXPECT_ERROR(largest(at::tensor({1.0, NAN}).view({2, 1}), 1), Code::kInvalidArgument, "the score of L1H0 is not finite");
  EXPECT_ERROR(smallest(at::full({1, 1}, INFINITY), 1), Code::kInvalidArgument, "the score of L0H0 is not finite");
  EXPECT_ERROR(head_roles({1, 2}, {1, NAN}, {1, 2}, RoleSize::kElbow), Code::kInvalidArgument, "task heads is not finite");
  EXPECT_ERROR(head_roles({1, INFINITY}, {1, 2}, {}, RoleSize::kPaperShare), Code::kInvalidArgument, "in_context heads");
}

TEST(HeadRoles, AreSizedByTheElbowOfTheirScoresOrByThePapersShareOfAllHeads) {
  std::vector<double> difference(270, 0.01), task(270, 0.001), none;
  difference[7] = 5;
  difference[9] = -4;
  difference[3] = -6;
  task[1] = task[2] = 3;
  const std::vector<HeadRole> roles = head_roles(difference, task, none, RoleSize::kElbow);
  ASSERT_EQ(roles.size(), 4u);
  EXPECT_EQ(roles[0].name, "in_context");
  EXPECT_EQ(members(roles[0]), (std::vector<size_t>{7}));
  EXPECT_EQ(roles[1].name, "parametric");
  EXPECT_EQ(members(roles[1]), (std::vector<size_t>{3, 9}));
  EXPECT_EQ(members(roles[2]), (std::vector<size_t>{1, 2}));
  EXPECT_TRUE(members(roles[3]).empty()) << "no scores, no heads";

  const std::vector<HeadRole> papers = head_roles(difference, task, none, RoleSize::kPaperShare);
  EXPECT_EQ(papers[0].count, 26);  // 100 of 1,024
  EXPECT_EQ(papers[2].count, 11);  // 40 of 1,024
  EXPECT_EQ(papers[3].count, 0);
}

TEST(HeadsBeforeElbow, AreThoseThatStandOutOfTheRest) {
  const std::vector<double> scores = {0.1, 10, -4, 0.2, 9, 0.3, 0.05};
  EXPECT_EQ(heads_before_elbow(scores), 2);
  std::vector<double> small = scores;
  for (double& score : small) score *= 1e-12;
  EXPECT_EQ(heads_before_elbow(small), 2);
  EXPECT_EQ(heads_before_elbow({8, 7, 6, 1, 0.9, 0.8, 0.7, 0.6, 0.5}), 3);
}

TEST(HeadsBeforeElbow, WithoutAnElbowAreAllOfAPositiveScore) {
  EXPECT_EQ(heads_before_elbow({5, 4, 3, 2, 1, 0, -1}), 5);
  EXPECT_EQ(heads_before_elbow({2, 2, 2, 2}), 4);
  EXPECT_EQ(heads_before_elbow({2, 1}), 2);
  EXPECT_EQ(heads_before_elbow({7, -7}), 1);
  EXPECT_EQ(heads_before_elbow({0, -1, -2}), 0);
  EXPECT_EQ(heads_before_elbow({}), 0);
}

TEST(HeadScoreMeans, CasesWeighAlikeWhateverTheirLogit) {
  HeadScoreMeans means(1, 2);
  means.add_open_book(at::tensor({3.0, 1.0}).view({1, 2}));
  means.add_open_book(at::tensor({0.0, 1000.0}).view({1, 2}));
  means.add_closed_book(at::tensor({1.0, 1.0}).view({1, 2}));
  const HeadScores scores = means.scores();
  EXPECT_EQ(scores.open_cases, 2);
  EXPECT_EQ(scores.closed_cases, 1);
  EXPECT_NEAR(scores.open_book[0][0].item<double>(), 0.375, 1e-12);
  EXPECT_NEAR(scores.difference()[0][0].item<double>(), -0.125, 1e-12);
  EXPECT_NEAR(scores.difference().sum().item<double>(), 0, 1e-12);
}

TEST(HeadScoreMeans, KeyRelevanceIsSummedOverEachSpansTokensOnce) {
  HeadScoreMeans means(1, 2);
  // Head 0 looks at tokens 0 and 1, head 1 at token 3.
  const at::Tensor keys = at::tensor({2.0f, 1.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 5.0f}).view({1, 2, 4});
  means.add_keys(keys, {{0, 1}, {0, 2}}, {{3, 4}});
  const HeadScores scores = means.scores();
  EXPECT_NEAR(scores.task[0][0].item<double>(), 3.0 / 8, 1e-12);
  EXPECT_NEAR(scores.task[0][1].item<double>(), 0, 1e-12);
  EXPECT_NEAR(scores.retrieval[0][1].item<double>(), 5.0 / 8, 1e-12);
  EXPECT_EQ(scores.key_cases, 1);
}

TEST(HeadScoreMeans, NotANumberIsNeverAveragedIn) {
  HeadScoreMeans means(1, 2);
  EXPECT_ERROR(means.add_open_book(at::tensor({NAN, 1.0f}).view({1, 2})), Code::kInternal, "nan");
  EXPECT_ERROR(means.add_closed_book(at::tensor({INFINITY, 1.0f}).view({1, 2})), Code::kInternal, "inf");
  EXPECT_ERROR(means.add_open_book(at::zeros({1, 2})), Code::kInternal, "sums to 0");
  EXPECT_ERROR(means.add_open_book(at::ones({2, 2})), Code::kInvalidArgument, "[1 layers, 2 heads]");
  EXPECT_ERROR(means.add_keys(at::ones({1, 2, 4}), {{2, 5}}, {}), Code::kInvalidArgument, "2..5 are not inside a prompt of 4");
  EXPECT_EQ(means.scores().open_cases, 0);
}

}  // namespace
}  // namespace openbook::attribution
