// Surgery, tracking and finders over a hand-written model, of which one knows what its two heads do: L0H0 reads answers from
// documents, L0H1 recites them.
#include "attribution/knowing_laboratory.h"
#include "report/finders.h"
#include "report/removal.h"
#include "report/surgery.h"
#include "report/surgery_choice.h"
#include "report/tracking.h"

namespace openbook::attribution {
namespace {

using openbook::test::capital_facts;
using openbook::test::knowing_llama;
using openbook::test::value_of;

class Experiments : public openbook::test::KnowingLaboratory {
 protected:
  void SetUp() override {
    enter(knowing_llama(facts_));
    runs_ = run_contrast_set(CaseRunner(*decoder_), facts_, {}, {}, nullptr);
    ASSERT_GE(runs_.known.size(), 20u);
  }
};

TEST_F(Experiments, SurgeryTakesReadingOrRecitingAway) {
  const Json part = run_surgery(lab_);
  EXPECT_EQ(part["chosen"]["in_context"]["heads"], Json({"L0H0"}));
  EXPECT_EQ(part["chosen"]["parametric"]["heads"], Json({"L0H1"}));
  EXPECT_EQ(value_of(part, "in_context_open_book"), 100);
  EXPECT_EQ(value_of(part, "in_context_closed_book"), 0);
  EXPECT_EQ(value_of(part, "parametric_closed_book"), 100);
  EXPECT_EQ(value_of(part, "parametric_open_book"), 0);
  // Without the head that reads, memory answers in spite of the document.
  EXPECT_EQ(part["conflict"]["own"]["in_context"]["memory"][0]["value"], 0);
  EXPECT_EQ(part["conflict"]["own"]["in_context"]["memory"][1]["value"], 1);
  for (const Json& chart : part["charts"])
    for (const Json& series : chart["series"]) EXPECT_EQ(series["points"][0][1], 1) << "all cases are right before";
}

TEST_F(Experiments, SurgeryFindsHeadsThatTheAtlasDoesNotList) {
  atlas_.in_context = atlas_.parametric = {};
  std::fill(atlas_.difference_score.begin(), atlas_.difference_score.end(), 0);
  const Json part = run_surgery(lab_);
  EXPECT_EQ(part["chosen"]["in_context"]["heads"], Json({"L0H0"}));
  EXPECT_EQ(part["chosen"]["parametric"]["heads"], Json({"L0H1"}));
  EXPECT_EQ(value_of(part, "parametric_closed_book"), 100);
}

TEST_F(Experiments, PickedOrdersBeginWithTheHeadThatReadsOrRecites) {
  const std::vector<RemovalTrial> trials = removal_trials(lab_, known_facts(lab_, {Split::kFit}), {Book::kOwn, Book::kClosed});
  const std::vector<std::string> whole = say_without(lab_, trials, {{}}, "").front();
  const HeadSet pool = {{0, 1}, {0, 0}};
  const PickedOrders read = pick_orders(lab_, trials, whole, pool, Book::kOwn, 2, ""),
                     recited = pick_orders(lab_, trials, whole, pool, Book::kClosed, 2, "");
  EXPECT_EQ(read.alone, (HeadSet{{0, 0}, {0, 1}}));
  EXPECT_EQ(read.together, read.alone);
  EXPECT_EQ(recited.alone, (HeadSet{{0, 1}, {0, 0}}));
  EXPECT_EQ(recited.together, recited.alone);
}

TEST(RemovalTrials, AskInAWordingThatTookNoPartInChoosingTheFact) {
  const openbook::test::TemporaryFolder folder;
  ContrastSet facts = capital_facts();
  const std::vector<std::string> wordings = {"Which town leads {subject}?", "What leads {subject}?", "Which one?"};
  for (Relation& relation : facts.relations) relation.questions = wordings;  // the last can't be answered without a document
  knowing_llama(facts).write(folder / "model");
  const engine::Decoder decoder(engine::Model::load(folder / "model"));
  const ContrastRuns runs = run_contrast_set(CaseRunner(decoder), facts, {}, {}, nullptr);
  const Laboratory lab = {.decoder = &decoder, .facts = &facts, .runs = &runs};

  std::map<int32_t, std::string> known_by;
  for (const ObservedCase& each : runs.observed)
    if (each.made.setting == Setting::kClosed) known_by[each.made.fact] = each.made.question;
  const std::vector<RemovalTrial> trials = removal_trials(lab, known_facts(lab, {Split::kTest, Split::kFit}), {Book::kClosed});
  const std::vector<std::string> said = say_without(lab, trials, {{}}, "").front();
  int firm = 0;
  for (size_t i = 0; i < trials.size(); ++i) {
    if (trials[i].subject == "Norway") continue;  // Oslo is what the model says when no subject is named
    const bool asked_last = known_by.at(trials[i].fact) == facts.questions(trials[i].fact, Setting::kClosed)[1];
    EXPECT_EQ(trials[i].firm, asked_last) << trials[i].subject << ": the last wording is asked, or speaks against the fact";
    EXPECT_EQ(trials[i].right(said[i]), !asked_last) << trials[i].subject << ": a firm fact may be wrong with all heads";
    firm += trials[i].firm;
  }
  EXPECT_GT(firm, 0);
  EXPECT_LT(firm, std::ssize(trials));
}

TEST(Surgery, OfFactsThatAreAskedInOneWordingOnlySaysWhatIsMissing) {
  const openbook::test::TemporaryFolder folder;
  ContrastSet facts = capital_facts();
  for (Relation& relation : facts.relations) relation.questions.resize(1);
  knowing_llama(facts).write(folder / "model");
  const engine::Decoder decoder(engine::Model::load(folder / "model"));
  const ContrastRuns runs = run_contrast_set(CaseRunner(decoder), facts, {}, {}, nullptr);
  const HeadAtlas atlas = openbook::test::reading_atlas(folder / "model");
  const Laboratory lab = {.decoder = &decoder, .facts = &facts, .runs = &runs, .atlas = &atlas};
  try {
    run_surgery(lab);
    FAIL() << "there is nothing firm to take away";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kFailedPrecondition);
    EXPECT_NE(std::string(error.what()).find("the model is sure of none in every wording"), std::string::npos) << error.what();
    EXPECT_NE(error.hint().find("two wordings"), std::string::npos) << error.hint();
  }
}

TEST_F(Experiments, QuickSurgeryGivesTheSameTwice) {
  lab_.quick = true;
  const Json part = run_surgery(lab_);
  EXPECT_EQ(value_of(part, "in_context_open_book"), 100);
  EXPECT_EQ(part["left_out"].size(), 1u);
  EXPECT_EQ(run_surgery(lab_).dump(), part.dump());
}

TEST_F(Experiments, TrackingTellsCopiedFromRecitedAndKeepsTheProbesFeatures) {
  const Json part = run_tracking(lab_);
  EXPECT_EQ(value_of(part, "auc_own_test"), 1);
  EXPECT_NE(part["left_out"].dump().find("--data"), std::string::npos);
  const Json& features = part["features"];
  EXPECT_EQ(features["heads"], Json({"L0H0", "L0H1"}));
  const auto& [mean, scale] = std::pair{atlas_.probe.mean, atlas_.probe.scale};
  std::map<bool, int> count;
  for (const Json& row : features["rows"]) {
    ++count[row["copied"]];
    ASSERT_EQ(row["values"].size(), 3u);  // the two heads', and the echo
    // What the reading head says of the answer, less what the reciting one says, decides in this model.
    const double reading = row["values"][0].get<double>() * scale[0] + mean[0],
                 reciting = row["values"][1].get<double>() * scale[1] + mean[1];
    EXPECT_EQ(reading > reciting, row["copied"].get<bool>()) << row.dump();
    const std::string setting = row["setting"];  // a decoy holds the recited answer, too
    if (setting != "decoy")
      EXPECT_EQ(row["values"][2].get<double>() > 0, row["copied"].get<bool>()) << "read where the head looks: " << row.dump();
  }
  EXPECT_GT(count[true], 3);
  EXPECT_GT(count[false], 3);
  int64_t points = 0;
  for (const Json& chart : part["charts"])
    if (chart["kind"] == "scatter")
      for (const Json& series : chart["series"]) points += static_cast<int64_t>(series["points"].size());
  EXPECT_EQ(points, static_cast<int64_t>(features["rows"].size()));
}

TEST_F(Experiments, FindersFindTheHeadThatReadsOrSayWhyNot) {
  const Json part = run_finders(lab_);
  for (const char* finder : {"attnlrp", "ablation"}) {
    const Json& found = part["finders"][finder];
    EXPECT_GT(found["scores"][0].get<double>(), found["scores"][1].get<double>()) << finder;
    EXPECT_EQ(found["top"][0], "L0H0") << finder;
    EXPECT_EQ(found["auc"]["all"]["value"], 1) << finder;
    EXPECT_GT(found["place_top1"]["value"].get<double>(), 0.8)
        << finder;  // the head looks at every occurrence of an answer alike
    EXPECT_LT(found["place_lost"]["value"].get<double>(), 0.1) << finder;
    EXPECT_EQ(value_of(part, std::string("place_") + finder), found["place_top1"]["value"].get<double>());
  }
  EXPECT_EQ(value_of(part, "closest_without_lrp"), 0);
  // One head writes all of the answer: its gradient through the final norm is negative, and that finder has nothing to go by. Nor
  // does that head tell documents apart.
  ASSERT_EQ(part["left_out"].size(), 2u);
  EXPECT_NE(part["left_out"][0].get<std::string>().find("Gradient times activation"), std::string::npos);
  EXPECT_NE(part["left_out"][1].get<std::string>().find("needles"), std::string::npos);
  EXPECT_EQ(part["closest_without_lrp"], "ablation");
}

TEST_F(Experiments, QuickFindersSayWhatTheyLeaveOut) {
  lab_.quick = true;
  const Json part = run_finders(lab_);
  EXPECT_FALSE(part["finders"].contains("ablation"));
  EXPECT_NE(part["left_out"][0].get<std::string>().find("ablation effect"), std::string::npos);
}

}  // namespace
}  // namespace openbook::attribution
