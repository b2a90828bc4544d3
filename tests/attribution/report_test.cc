#include "report/report.h"

#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "attribution/small_atlas.h"
#include "base/test_support.h"
#include "engine/tiny_llama.h"
#include "openbook/base/file.h"
#include "report/experiments.h"
#include "report/report_folder.h"
#include "retriever/hashing_embedder.h"

namespace openbook::attribution {
namespace {

// A report of stub experiments on a tiny model; every run counts.
class ReportTest : public testing::Test {
 protected:
  ReportTest() : decoder_(engine::test::load_tiny("plain")) {
    facts_.sha256 = "ab12";
    std::filesystem::create_directory(data_.path() / "docs");
    write_file_atomically(data_ / "conflict.jsonl", "{}\n");
    laboratory_ = {.decoder = &decoder_, .facts = &facts_, .embedder = &embedder_, .data = data_.path(), .seed = 7};
    for (const char* name : {"first", "second", "third"})
      experiments_.push_back(
          {name, std::string("The ") + name, "What it did.", [this, name](const Laboratory& bench) { return run(name, bench); }});
  }

  Json run(const std::string& name, const Laboratory& bench) {
    ++runs_[name];
    EXPECT_NE(bench.runs, nullptr);
    EXPECT_EQ(bench.atlas->model_name, test::small_atlas().model_name);
    if (const auto found = failures_.find(name); found != failures_.end()) found->second();
    return {{"figures", Json::array({{{"name", name},
                                      {"label", "of " + name},
                                      {"estimate", {{"value", 0.1 * static_cast<double>(bench.seed)}, {"n", 3}}}}})},
            {"raw", std::numeric_limits<double>::quiet_NaN()},
            {"token", "cut \xE2\x82"}};
  }

  Json write(const std::filesystem::path& out, ReportOptions options = {}) {
    options.out = out;
    options.command = "openbook atlas report";
    return write_report(laboratory_, experiments_, options,
                        [this](const Laboratory&, const ReportOptions& given, std::optional<HeadAtlas> kept) {
                          ++groundworks_;
                          atlas_was_kept_ = kept.has_value();
                          facts_used_ = given.max_facts;
                          auto groundwork = std::make_unique<Groundwork>();
                          groundwork->atlas = kept ? *kept : test::small_atlas();
                          return groundwork;
                        });
  }

  // What a report says, without dates and times.
  static std::string numbers(const std::filesystem::path& out) {
    Json report = Json::parse(read_file(out / "report.json"));
    report.erase("made");
    return report.dump();
  }

  static std::string state_of(const Json& report, size_t part) { return report["parts"][part]["state"]; }

  const test::TemporaryFolder folder_, data_;
  const engine::Decoder decoder_;
  ContrastSet facts_;
  test::HashingEmbedder embedder_;
  Laboratory laboratory_;
  std::vector<Experiment> experiments_;
  std::map<std::string, int> runs_;
  std::map<std::string, std::function<void()>> failures_;
  int groundworks_ = 0;
  bool atlas_was_kept_ = false;
  int64_t facts_used_ = -1;
};

TEST_F(ReportTest, InterruptedAndResumedItSaysWhatAnUninterruptedOneSays) {
  const Json whole = write(folder_ / "whole");
  EXPECT_EQ(state_of(whole, 2), "finished");
  EXPECT_EQ(whole["parts"][2]["about"], "What it did.");
  runs_.clear();
  failures_["second"] = [] { throw Error(Code::kInternal, "the light went out"); };
  EXPECT_ERROR(write(folder_ / "cut"), Code::kInternal, "part second: the light went out");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "cut" / "report.json"));
  const std::string first = read_file(folder_ / "cut" / "parts" / "first.json");
  EXPECT_FALSE(atlas_was_kept_);
  failures_.clear();
  write(folder_ / "cut");
  EXPECT_TRUE(atlas_was_kept_);
  EXPECT_EQ(runs_["first"], 1);
  EXPECT_EQ(runs_["second"], 2);
  EXPECT_EQ(read_file(folder_ / "cut" / "parts" / "first.json"), first);
  EXPECT_EQ(numbers(folder_ / "cut"), numbers(folder_ / "whole"));
}

TEST_F(ReportTest, AFinishedReportRunsNothingAgain) {
  write(folder_.path());
  const std::string json = read_file(folder_ / "report.json"), page = read_file(folder_ / "report.html");
  write(folder_.path());
  EXPECT_EQ(groundworks_, 1);
  EXPECT_EQ(runs_["first"], 1);
  EXPECT_EQ(read_file(folder_ / "report.json"), json);
  EXPECT_EQ(read_file(folder_ / "report.html"), page);
}

TEST_F(ReportTest, NumbersThatAreNoneAreNullAndBrokenTextIsReplaced) {
  const Json result = write(folder_.path())["parts"][0]["result"];
  EXPECT_TRUE(result["raw"].is_null());
  EXPECT_EQ(result["token"], "cut \xEF\xBF\xBD");
}

TEST_F(ReportTest, NumbersStandApartFromTimes) {
  const Json report = write(folder_.path());
  EXPECT_EQ(report["key"]["seed"], 7);
  EXPECT_EQ(report["key"]["model"], decoder_.model().fingerprint());
  EXPECT_EQ(report["key"]["data"].size(), 1u);
  EXPECT_EQ(report["key"]["data"]["conflict.jsonl"].get<std::string>().size(), 64u);
  for (const char* part : {"first", "second", "third"}) EXPECT_TRUE(report["made"]["parts"][part]["seconds"].is_number()) << part;
  Json without = report;
  without.erase("made");
  for (const char* word : {"seconds", "date", "command"}) EXPECT_EQ(without.dump().find(word), std::string::npos) << word;
}

TEST_F(ReportTest, AFolderOfAnotherReportIsRefusedByTheFieldThatDiffers) {
  write(folder_.path());
  const Laboratory before = laboratory_;
  const auto refuses = [&](const char* piece, ReportOptions options = {}) {
    EXPECT_ERROR(write(folder_.path(), options), Code::kFailedPrecondition, piece);
    laboratory_ = before;
  };
  laboratory_.seed = 8;
  refuses("first.json belongs to another report: seed is 7 there and 8 here");
  laboratory_.quick = true;
  refuses("max_facts is 0 there and 160 here");
  refuses("max_facts is 0 there and 5 here", {.max_facts = 5});
  laboratory_.data.clear();
  refuses("data: conflict.jsonl");
  write_file_atomically(data_ / "conflict.jsonl", "{ }\n");
  refuses("data: conflict.jsonl is");
  facts_.sha256 = "cd34";
  refuses("contrast_set is \"ab12\" there and \"cd34\" here");
  EXPECT_EQ(runs_["first"], 1);
}

TEST_F(ReportTest, RestartRemovesTheReportAndNothingElse) {
  write(folder_.path());
  write_file_atomically(folder_ / "notes.txt", "mine");
  laboratory_.seed = 8;
  const Json report = write(folder_.path(), {.restart = true});
  EXPECT_EQ(report["key"]["seed"], 8);
  EXPECT_EQ(runs_["first"], 2);
  EXPECT_FALSE(atlas_was_kept_);
  EXPECT_EQ(read_file(folder_ / "notes.txt"), "mine");
}

TEST_F(ReportTest, WhatCanNotBeDoneIsLeftOutWithItsReasonAndTriedAgain) {
  failures_["second"] = [] { throw Error(Code::kFailedPrecondition, "the model knows 3 facts", "Use more facts."); };
  failures_["third"] = [] { throw Error(Code::kNotFound, "no swap.jsonl"); };
  const Json report = write(folder_.path());
  EXPECT_EQ(state_of(report, 0), "finished");
  EXPECT_EQ(state_of(report, 1), "left_out");
  EXPECT_EQ(report["parts"][1]["result"], Json::parse(R"({"left_out": ["the model knows 3 facts. Use more facts."]})"));
  EXPECT_EQ(report["parts"][2]["result"]["left_out"][0], "no swap.jsonl");
  EXPECT_NE(read_file(folder_ / "report.html").find("the model knows 3 facts. Use more facts."), std::string::npos);
  failures_.clear();
  EXPECT_EQ(state_of(write(folder_.path()), 1), "finished");
  EXPECT_EQ(runs_["first"], 1);
}

TEST_F(ReportTest, AModelThatKnowsTooLittleIsToldWhatIsMissingAndWhatWouldDo) {
  const LayGroundwork too_little = [](const Laboratory&, const ReportOptions&, std::optional<HeadAtlas>) {
    throw Error(Code::kFailedPrecondition, "the fit relations gave 2 copied answers; 30 are needed", "Use more facts.");
    return std::unique_ptr<Groundwork>();
  };
  for (const int64_t most : {0, 12}) {
    try {
      write_report(laboratory_, experiments_, {.out = folder_.path(), .max_facts = most, .restart = true}, too_little);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kFailedPrecondition);
      EXPECT_STREQ(
          error.what(),
          "atlas report: no atlas can be made of this model: the fit relations gave 2 copied answers; 30 are needed. Every "
          "part reads the model through its atlas, free answers too, so none was begun");
      EXPECT_EQ(error.hint(),
                most == 0 ? "Use more facts."
                          : "Use more facts. At most 12 facts were run: a larger --max-facts, or no --quick, asks for more.");
    }
  }
  EXPECT_EQ(runs_["first"], 0);
}

TEST(AtlasExperiments, IntroduceThemselvesInAFewSentences) {
  for (const Experiment& experiment : atlas_experiments()) {
    EXPECT_GE(experiment.about.size(), 150u) << experiment.name;
    EXPECT_LE(experiment.about.size(), 500u) << experiment.name;
    EXPECT_EQ(experiment.about.find('_'), std::string::npos) << "a raw name in: " << experiment.about;
  }
}

TEST_F(ReportTest, OnlyRunsThePartsThatAreNamed) {
  const Json one = write(folder_.path(), {.only = {"second"}});
  EXPECT_EQ(state_of(one, 0), "missing");
  EXPECT_EQ(state_of(one, 1), "finished");
  EXPECT_EQ(runs_["first"], 0);
  const Json two = write(folder_.path(), {.only = {"first"}});
  EXPECT_EQ(state_of(two, 0), "finished");
  EXPECT_EQ(state_of(two, 1), "finished");
  EXPECT_EQ(state_of(two, 2), "missing");
  EXPECT_EQ(runs_["second"], 1);
  EXPECT_ERROR(write(folder_.path(), {.only = {"fourth"}}), Code::kInvalidArgument, "there is no part \"fourth\"");
}

TEST_F(ReportTest, NamesOfPartsAreFileNamesAndDiffer) {
  experiments_[1].name = "first";
  EXPECT_ERROR(write(folder_.path()), Code::kInvalidArgument, "\"first\" can't name a part");
  experiments_[1].name = "../first";
  EXPECT_ERROR(write(folder_.path()), Code::kInvalidArgument, "\"../first\" can't name a part");
}

TEST_F(ReportTest, ForeignErrorsEndItInOneLineThatNamesThePart) {
  failures_["second"] = [] { throw std::runtime_error("shapes differ\nException raised from ..."); };
  try {
    write(folder_.path());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(code_name(error.code()), "internal");
    EXPECT_STREQ(error.what(), "atlas report, part second: shapes differ");
  }
  EXPECT_TRUE(std::filesystem::exists(folder_ / "parts" / "first.json"));
}

TEST_F(ReportTest, CancellationLeavesTheFinishedParts) {
  Cancellation cancellation;
  laboratory_.cancellation = &cancellation;
  failures_["second"] = [&] { cancellation.cancel(), cancellation.check(); };
  EXPECT_ERROR(write(folder_.path()), Code::kCancelled, "stopped on request");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "parts" / "first.json"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "parts" / "second.json"));
}

TEST_F(ReportTest, DamagedPartsAreDataLoss) {
  write(folder_.path());
  const std::filesystem::path file = folder_ / "parts" / "first.json";
  const std::string whole = read_file(file);
  const struct {
    std::string bytes;
    const char* piece;
  } rows[] = {
      {"", "no part of an atlas report"},
      {whole.substr(0, whole.size() / 2), "no part of an atlas report"},
      {"[]", "no part of an atlas report"},
      {R"({"format": "openbook head atlas"})", "no part of an atlas report"},
      {R"({"format": "openbook atlas report part", "version": 1})", "it was changed"},
      {std::string(whole).replace(whole.find("of first"), 8, "of worst"), "it was changed"},
  };
  for (const auto& row : rows) {
    write_file_atomically(file, row.bytes);
    EXPECT_ERROR(write(folder_.path()), Code::kDataLoss, row.piece);
  }
  write_file_atomically(file, R"({"format": "openbook atlas report part", "version": 2})");
  EXPECT_ERROR(write(folder_.path()), Code::kFailedPrecondition, "another version");
}

TEST_F(ReportTest, AnAtlasOfAnotherReportIsRefused) {
  test::small_atlas().save(folder_ / "atlas.json");
  EXPECT_ERROR(write(folder_.path()), Code::kFailedPrecondition,
               "atlas.json belongs to another report: it was not made by an atlas report");
  HeadAtlas other = test::small_atlas();
  other.provenance["report_key"] = std::string(64, '0');
  other.save(folder_ / "atlas.json");
  EXPECT_ERROR(write(folder_.path()), Code::kFailedPrecondition, "with other data or options");
  write(folder_.path(), {.restart = true});
  EXPECT_FALSE(atlas_was_kept_);
}

TEST_F(ReportTest, BadFoldersAreNamed) {
  laboratory_.data = folder_ / "nowhere";
  EXPECT_ERROR(write(folder_.path()), Code::kNotFound, "nowhere");
  laboratory_.data.clear();
  write_file_atomically(folder_ / "file", "");
  EXPECT_ERROR(write(folder_ / "file"), Code::kUnavailable, "can't make the folder");
}

TEST_F(ReportTest, ProgressNamesThePart) {
  std::vector<std::string> stages;
  laboratory_.progress = [&](const std::string& stage, int64_t, int64_t) { stages.push_back(stage); };
  experiments_[1].run = [](const Laboratory& bench) {
    bench.report("halves", 1, 2);
    return Json::object();
  };
  write(folder_.path());
  EXPECT_EQ(stages, (std::vector<std::string>{"part 1 of 3, first: begins", "part 2 of 3, second: begins",
                                              "part 2 of 3, second: halves", "part 3 of 3, third: begins"}));
}

TEST_F(ReportTest, ProgressSaysHowMuchOfTheWholeIsLeft) {
  std::vector<std::string> begun;
  laboratory_.progress = [&](const std::string& stage, int64_t, int64_t) { begun.push_back(stage); };
  experiments_[0].cost = {.whole = 1};
  experiments_[1].cost = experiments_[2].cost = {.whole = 5000};
  experiments_[0].run = [](const Laboratory&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return Json::object();
  };
  write(folder_.path());
  ASSERT_EQ(begun.size(), 3u);
  EXPECT_EQ(begun[0], "part 1 of 3, first: begins (about 10 s left in all)") << "what the groundwork took in no time at all";
  // 0.3 s for 25 of cost: 120 s for 10,000.
  EXPECT_THAT(begun[1], testing::MatchesRegex("part 2 of 3, second: begins \\(about [2-9] min left in all\\)"));
  EXPECT_THAT(begun[2], testing::MatchesRegex("part 3 of 3, third: begins \\(about [1-9]0 s left in all\\)"));

  std::filesystem::remove(folder_ / "parts/third.json");
  begun.clear();
  write(folder_.path());
  EXPECT_EQ(begun.size(), 1u) << "a kept part is not counted again";
}

TEST_F(ReportTest, AQuickReportUsesFewerFacts) {
  laboratory_.quick = true;
  write(folder_ / "quick");
  EXPECT_EQ(facts_used_, kQuickFacts);
  write(folder_ / "stated", {.max_facts = 30});
  EXPECT_EQ(facts_used_, 30);
}

}  // namespace
}  // namespace openbook::attribution
