// Which facts count as known, and whether an atlas still holds.
#include "openbook/attribution/atlas_check.h"

#include "attribution/knowing_laboratory.h"

namespace openbook::attribution {
namespace {

using openbook::test::knowing_llama;

class AtlasChecks : public openbook::test::KnowingLaboratory {
 protected:
  AtlasChecks() {
    enter(knowing_llama(facts_));
    atlas_.validation = {{.setting = "pooled", .copied = 9, .recited = 9, .auc = 1, .place_top1 = 1}};
  }

  AtlasCheck check(int64_t facts = 6) const { return check_atlas(decoder_->shared_model(), facts_, atlas_, {.facts = facts}); }
  bool knows(const ContrastSet& facts, const std::string& subject) const {
    const ContrastRuns runs = run_contrast_set(CaseRunner(*decoder_), facts, {}, {}, nullptr);
    return std::any_of(runs.known.begin(), runs.known.end(), [&](int32_t fact) { return facts.facts[fact].subject == subject; });
  }
};

TEST_F(AtlasChecks, AFactThatTheModelGuessesForAnInventedSubjectIsNotKnown) {
  EXPECT_TRUE(knows(facts_, "Norway"));
  ContrastSet facts = facts_;
  facts.relations[0].invented_subjects = {"Vessland"};  // Oslo is what this model says when it knows no subject
  EXPECT_FALSE(knows(facts, "Norway"));
  EXPECT_TRUE(knows(facts, "Sweden"));
}

TEST_F(AtlasChecks, AnAnswerThatAPassageHoldsInPartIsLabelledByThatPart) {
  const CaseRunner runner(*decoder_);
  ContrastCase made = facts_.make_case(0, Setting::kSilent, 1);
  ASSERT_EQ(made.memory_answer, "Oslo Aville");
  const auto label_in = [&](const std::string& document) {
    made.passages = {whole_document("document", document)};
    const std::vector<ObservedCase> said = runner.answer({made});
    EXPECT_EQ(said[0].given, GivenAnswer::kMemory) << document;
    return runner.copied({&said[0]}).at(0);
  };
  EXPECT_EQ(label_in("A boat for Oslo."), true) << "read there, and another word when another stands there";
  EXPECT_EQ(label_in("All like Norway."), false) << "nothing of it stands there";
}

TEST_F(AtlasChecks, AnAtlasHoldsForItsModel) {
  const AtlasCheck found = check();
  EXPECT_TRUE(found.holds) << found.reason;
  EXPECT_EQ(found.facts, 6);
  EXPECT_GE(std::min(found.copied, found.recited), 5);
  EXPECT_EQ(found.auc, 1);
  EXPECT_EQ(found.place_top1, 1);
  EXPECT_EQ(found.recited_passed, 0);
  EXPECT_EQ(found.copied_blamed, 0);
  ASSERT_EQ(std::ssize(found.answers), found.copied + found.recited);
  for (const CheckedAnswer& each : found.answers) {
    EXPECT_EQ(each.copied, each.probability_copied > 0.5) << each.subject;
    EXPECT_EQ(each.place_found.has_value(), each.copied) << each.subject;
  }
}

TEST_F(AtlasChecks, WhatNoLongerHoldsIsNamed) {
  const HeadAtlas good = atlas_;
  atlas_.probe.weights = {-1, 1, 0};  // as if the two heads had changed places
  EXPECT_EQ(check().reason, "the probe tells copied from recited with AUC 0.000, 1.000 when the atlas was made");
  atlas_ = good;
  atlas_.localizer = {.heads = {{0, 1}}, .weights = {1}};  // a head that reads nothing
  EXPECT_TRUE(check().reason.starts_with("the localizer finds 0.")) << check().reason;
  atlas_ = good;
  atlas_.probe.bias = 1000;
  EXPECT_EQ(check().reason, "1.000 of the recited answers pass as copied");
}

TEST_F(AtlasChecks, WhatCannotBeCheckedIsAnErrorAndNotAPass) {
  const HeadAtlas good = atlas_;
  atlas_.validation.clear();
  EXPECT_ERROR(check(), Code::kInvalidArgument, "holds no validation");
  atlas_ = good;
  atlas_.layers = 2;
  EXPECT_ERROR(check(), Code::kFailedPrecondition, "2 layers of 2 heads, this one has 1 of 2");
  atlas_ = good;
  EXPECT_ERROR(check(1), Code::kFailedPrecondition, "5 of each are needed");
}

}  // namespace
}  // namespace openbook::attribution
