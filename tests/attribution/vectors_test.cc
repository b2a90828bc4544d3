// On a model whose weights are written by hand: L0H0 reads the answers of the prompt, L0H1 recites what memory has for a subject.
#include "report/vectors.h"

#include "base/test_support.h"
#include "batches.h"
#include "guard/reading_llama.h"
#include "openbook/base/file.h"
#include "report/vector_trials.h"

namespace openbook::attribution {
namespace {

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

  double value(const Json& part, const std::string& figure) const {
    for (const Json& each : part["figures"])
      if (each["name"] == figure) return each["estimate"]["value"].get<double>();
    ADD_FAILURE() << "no figure " << figure;
    return -1;
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

TEST_F(Vectors, TheWholePartFindsTheHeadsThatDoIt) {
  const Json part = run_vectors(lab_);
  EXPECT_EQ(value(part, "parametric_unpatched"), 0);
  EXPECT_EQ(value(part, "parametric_published"), 1);
  EXPECT_EQ(value(part, "parametric_best"), 1);
  EXPECT_LE(value(part, "retrieval_unpatched"), 0.5);
  EXPECT_EQ(value(part, "retrieval_best"), 1);
  EXPECT_GE(value(part, "task_asked"), 0);
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
  EXPECT_EQ(value(part, "retrieval_best"), 1);
  lab_.biographies = nullptr;
  EXPECT_ERROR(run_vectors(lab_), Code::kFailedPrecondition, "need biographies");
}

}  // namespace
}  // namespace openbook::attribution
