// On a model whose weights are written by hand: L0H0 reads the answers of the prompt, L0H1 recites what memory has for a subject.
#include "report/vectors.h"

#include <algorithm>
#include <set>

#include "attribution/knowing_laboratory.h"
#include "batches.h"
#include "guard/reading_llama.h"
#include "openbook/base/file.h"
#include "report/vector_trials.h"

namespace openbook::attribution {
namespace {

using openbook::test::value_of;

const std::vector<std::string> kTowns = {" Bergen", " Oslo",   " Lund", " Turku", " Malmo",  " Sligo",
                                         " Derry",  " Galway", " Cork", " Ennis", " Tralee", " Athlone"};

// Every town may follow a colon, and another town; memory has a town for each of twelve subjects.
test::ReadingLlama towns_llama() {
  test::ReadingLlama model;
  model.answers = kTowns;
  model.grammar = {{":", kTowns}};
  for (size_t i = 0; i < kTowns.size(); ++i) {
    model.grammar.push_back({kTowns[i], {"<|im_end|>"}});
    model.memory[" subject" + std::to_string(i)] = kTowns[i];
  }
  return model;
}

class Vectors : public testing::Test {
 protected:
  Vectors() {
    towns_llama().write(folder_.path());
    decoder_ = std::make_unique<engine::Decoder>(engine::Model::load(folder_.path()));
    atlas_ = test::reading_atlas(folder_.path());
    write_file_atomically(folder_ / "biographies.json", lives().dump());
    biographies_ = Biographies::load(folder_.path());
    facts_.relations = {
        {.name = "town", .questions = {"Where is{subject}?"}, .clozes = {"The town of{subject} is:", "Found:{subject}:"}}};
    for (size_t i = 0; i < kTowns.size(); ++i) {
      facts_.facts.push_back({0, " subject" + std::to_string(i), kTowns[i].substr(1), {}});
      runs_.known.push_back(static_cast<int32_t>(i));
    }
    lab_ = {.decoder = decoder_.get(),
            .facts = &facts_,
            .biographies = &biographies_,
            .runs = &runs_,
            .atlas = &atlas_,
            .quick = true};
  }

  // Lives in which the first four towns stand, and end with a colon; the needle is the last town.
  static nlohmann::json lives() {
    nlohmann::json facts = nlohmann::json::array(), grammar = {{"given", {"{1..99999}"}},
                                                               {"family", {"K"}},
                                                               {"name", {"{given}{family}"}},
                                                               {"who", {"K"}},
                                                               {"who_inside", {"K"}}};
    const char* names[] = {"birth_date", "birth_place", "education", "occupation"};
    for (size_t i = 0; i < 4; ++i) {
      grammar[names[i]] = {kTowns[i]};
      facts.push_back({{"name", names[i]}, {"questions", {"Q?"}}, {"sentences", {"{who}{value}:"}}});
    }
    return {{"languages",
             {{"en",
               {{"joiner", ""},
                {"words", 1},
                {"grammar", grammar},
                {"facts", facts},
                {"fillers", {"{who}."}},
                {"needles", {" Athlone", " Tralee"}}}}}}};
  }

  const test::TemporaryFolder folder_;
  std::unique_ptr<engine::Decoder> decoder_;
  HeadAtlas atlas_;
  Biographies biographies_;
  ContrastSet facts_;
  ContrastRuns runs_;
  Laboratory lab_;
};

TEST_F(Vectors, AnotherPromptsVectorSaysThatPromptsAnswer) {
  VectorExperiment experiment;
  const at::Tensor vectors = last_z(
      *decoder_, {tokens_of_text(decoder_->model(), "See Turku:"), tokens_of_text(decoder_->model(), "Or see Malmo now:")});
  experiment.ways = {{.name = "reading head first", .order = {{0, 0}, {0, 1}}, .vectors = vectors},
                     {.name = "reciting head first", .order = {{0, 1}, {0, 0}}, .vectors = vectors}};
  const std::vector<VectorTrial> trials = {{.text = "In Oslo we stay:", .references = {"Turku"}, .source = 0},
                                           {.text = "In Lund:", .references = {"Malmo"}, .source = 1},
                                           {.text = "In Lund:", .references = {"Lund"}, .source = 1}};
  const auto found =
      recalls(lab_, experiment, trials, {{.way = 0, .count = 0}, {.way = 0, .count = 1}, {.way = 1, .count = 1}}, "");
  EXPECT_EQ(found[0], (std::vector<double>{0, 0, 1}));
  EXPECT_EQ(found[1], (std::vector<double>{1, 1, 0}));
  EXPECT_EQ(found[2], (std::vector<double>{0, 0, 1}));
}

TEST_F(Vectors, AttentionPressedOntoANeedleSaysIt) {
  VectorExperiment experiment;
  experiment.ways = {{.name = "reading head", .order = {{0, 0}, {0, 1}}}};
  const std::string text = "From Oslo and Oslo to Malmo by Turku:";
  const auto at = static_cast<int64_t>(text.find(" Turku"));
  const std::vector<VectorTrial> trials = {{.text = text, .references = {"Turku"}, .needle = {at, at + 6}}};
  const auto found =
      recalls(lab_, experiment, trials, {{.count = 0}, {.count = 1, .scale = 4}, {.count = 1, .scale = 0.1, .sharpen = 3}}, "");
  EXPECT_EQ(found[0][0], 0);  // Oslo stands twice
  EXPECT_EQ(found[1][0], 1);
  EXPECT_EQ(found[2][0], 1);  // the score of 3 becomes 9
}

// One head reads where the needle begins; what follows a word of it, the grammar says.
TEST(ForcedCopying, ANeedleOfFortyTokensIsCopiedWhole) {
  std::string needle;
  test::ReadingLlama model;
  model.answers = {" w0", " Oslo"};
  model.grammar = {{":", model.answers}, {" Oslo", {"<|im_end|>"}}};
  for (int i = 0; i < 40; ++i) {
    const std::string word = " w" + std::to_string(i), next = " w" + std::to_string(i + 1);
    model.grammar.push_back({word, {i == 39 ? "<|im_end|>" : next}});
    needle += word;
  }
  const test::TemporaryFolder folder;
  model.write(folder.path());
  const engine::Decoder decoder(engine::Model::load(folder.path()));
  ASSERT_EQ(decoder.model().tokenizer().encode(needle, {}).size(), 40u);
  const std::string text = "From Oslo and Oslo to" + needle + ":";
  const auto at = static_cast<int64_t>(text.find(needle)), size = static_cast<int64_t>(needle.size());
  VectorExperiment experiment;
  experiment.ways = {{.name = "reading head", .order = {{0, 0}, {0, 1}}}};
  const std::vector<VectorTrial> trials = {{.text = text, .references = {needle}, .needle = {at, at + size}}};
  const auto found = recalls({.decoder = &decoder}, experiment, trials, {{.count = 0}, {.count = 1, .scale = 6}}, "");
  EXPECT_EQ(found[0][0], 0);
  EXPECT_EQ(found[1][0], 1);
}

TEST(HeadCounts, AreAscendingAndWithinTheModel) {
  EXPECT_EQ(head_counts(270, {1, 2, 3, 4}, {0.02, 0.3, 1}), (std::vector<int64_t>{1, 2, 3, 4, 6, 81, 270}));
  EXPECT_EQ(head_counts(2, {1, 2, 3, 4}, {0.02, 1}), (std::vector<int64_t>{1, 2}));
}

TEST_F(Vectors, AFullSweepReachesFromOneHeadToAllOfThem) {
  lab_.quick = false;
  atlas_.layers = 30, atlas_.heads = 9;  // counts are of the atlas; the orders are of its scores
  for (std::vector<double>* scores : {&atlas_.difference_score, &atlas_.task_score, &atlas_.retrieval_score}) scores->resize(270);
  const std::vector<int64_t> task = task_experiment(lab_).counts, parametric = parametric_experiment(lab_).counts;
  EXPECT_EQ(std::vector<int64_t>(task.begin(), task.begin() + 4), (std::vector<int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(task.back(), 270);
  EXPECT_EQ(parametric.back(), 270);
}

TEST_F(Vectors, TheBestDoseSaysWhereNothingWasTriedBeyondIt) {
  const Json part = run_vectors(lab_);
  const auto table = std::find_if(part["tables"].begin(), part["tables"].end(), [](const Json& each) {
    return each["title"].get<std::string>().starts_with("Forced copying: each way");
  });
  ASSERT_NE(table, part["tables"].end());
  // One bias; one head is the fewest there can be, and of the two heads of the model one was tried.
  EXPECT_EQ((*table)["rows"][0][2], "more heads, less bias in nats, more bias in nats");
}

// Every author wrote a book, the first two another. The model knows them all.
class VectorsOfPeople : public testing::Test {
 protected:
  static constexpr size_t kPeople = 26, kBooks = kPeople + 2;

  VectorsOfPeople() {
    test::ReadingLlama model;
    for (size_t i = 0; i < kPeople; ++i) {
      model.answers.push_back(" Author" + std::to_string(i));
      model.grammar.push_back({model.answers.back(), {"<|im_end|>"}});
    }
    model.grammar.push_back({":", model.answers});
    facts_.relations = {{.name = "book_author", .questions = {"Who wrote{subject}?"}, .clozes = {"The author of{subject}:"}}};
    for (size_t i = 0; i < kBooks; ++i) {
      const std::string book = " book" + std::to_string(i), &author = model.answers[i % kPeople];
      model.memory[book] = author;
      facts_.facts.push_back({0, book, author.substr(1), {}});
      runs_.known.push_back(static_cast<int32_t>(i));
    }
    model.write(folder_.path());
    decoder_ = std::make_unique<engine::Decoder>(engine::Model::load(folder_.path()));
    atlas_ = test::reading_atlas(folder_.path());
    lab_ = {.decoder = decoder_.get(), .facts = &facts_, .runs = &runs_, .atlas = &atlas_};
  }

  const test::TemporaryFolder folder_;
  std::unique_ptr<engine::Decoder> decoder_;
  HeadAtlas atlas_;
  ContrastSet facts_;
  ContrastRuns runs_;
  Laboratory lab_;
};

TEST_F(VectorsOfPeople, HaveFiguresOfTheirOwnWithoutThoseTheDoseWasChosenBy) {
  VectorExperiment experiment = parametric_experiment(lab_);
  std::set<std::string> met, people;
  for (const VectorTrial& trial : experiment.development) met.insert(trial.references[0]);
  for (const VectorTrial& trial : experiment.beyond) people.insert(trial.cluster);
  EXPECT_EQ(people.size(), kPeople - met.size());
  for (const std::string& person : met) EXPECT_FALSE(people.contains(person)) << person;

  experiment.ways.resize(1);
  experiment.counts = {1};
  experiment.scales = {1};
  Json part;
  add_vector_experiment(lab_, experiment, part);
  std::map<std::string, Json> estimates;
  for (const Json& figure : part["figures"]) estimates[figure["name"]] = figure["estimate"];
  EXPECT_EQ(estimates.at("parametric_people_published")["value"], 1);
  EXPECT_EQ(estimates.at("parametric_people_unpatched")["value"], 0);
  EXPECT_EQ(estimates.at("parametric_people_best")["n"], experiment.beyond.size());
  EXPECT_FALSE(part.contains("left_out"));
}

TEST_F(VectorsOfPeople, AreLeftOutWhereTheModelKnowsTooFew) {
  runs_.known.resize(15);
  VectorExperiment experiment = parametric_experiment(lab_);
  EXPECT_TRUE(experiment.beyond.empty());
  ASSERT_EQ(experiment.left_out.size(), 1u);
  EXPECT_NE(experiment.left_out[0].find("knows 10 people"), std::string::npos) << experiment.left_out[0];  // 5 chose the dose
}

TEST_F(Vectors, TheWholePartFindsTheHeadsThatDoIt) {
  const Json part = run_vectors(lab_);
  EXPECT_EQ(value_of(part, "parametric_unpatched"), 0);
  EXPECT_EQ(value_of(part, "parametric_published"), 1);
  EXPECT_EQ(value_of(part, "parametric_best"), 1);
  EXPECT_LE(value_of(part, "retrieval_unpatched"), 0.5);
  EXPECT_EQ(value_of(part, "retrieval_best"), 1);
  EXPECT_GE(value_of(part, "task_asked"), 0);
  for (const Json& figure : part["figures"]) {
    EXPECT_EQ(figure["estimate"]["n"] == 0, figure["estimate"]["value"].is_null()) << figure.dump();
    if (figure["name"] != "task_best_where_asked_works") EXPECT_GT(figure["estimate"]["n"].get<int64_t>(), 0) << figure.dump();
  }
  EXPECT_EQ(part["raw"]["parametric"]["sweep"].size(), 2u * 1 * 2);  // ways, counts of a model with two heads, scales
  EXPECT_EQ(part["tables"].size(), 6u);
  EXPECT_GE(part["charts"].size(), 3u);
  EXPECT_EQ(run_vectors(lab_), part);  // the same seed, the same numbers
}

TEST_F(Vectors, WhatIsMissingIsSaid) {
  runs_.known.resize(5);
  const Json part = run_vectors(lab_);
  EXPECT_NE(part["left_out"].dump().find("parametric vectors need 10 known facts"), std::string::npos) << part["left_out"];
  EXPECT_EQ(value_of(part, "retrieval_best"), 1);
  lab_.biographies = nullptr;
  EXPECT_ERROR(run_vectors(lab_), Code::kFailedPrecondition, "need biographies");
}

}  // namespace
}  // namespace openbook::attribution
