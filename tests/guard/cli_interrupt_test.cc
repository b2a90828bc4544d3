// Ctrl-C in the middle of every verb that takes long: status 130 by the program's own hand, one line that says so, and nothing
// lost.
#include <fstream>
#include <regex>

#include "base/test_support.h"
#include "guard/program.h"
#include "openbook/guard/provenance_log.h"

namespace openbook {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char kPassage[] =
    "# Ferries\n\nThe ferry to Port Ellery leaves from pier 7. It was built by Hanna Lindqvist in Gothenburg.\n";
constexpr int kRows = 200;  // of an evaluation or an ingest: far more than is done before the signal comes

class CliInterruptTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto model = test::model_folder("smollm2-135m-instruct"), embedder = test::model_folder("all-minilm-l6-v2");
    if (!model || !embedder) GTEST_SKIP() << "the models are not in build/models; cmake/setup.sh makes them";
    environment_ = {{"OPENBOOK_MODEL", *model},
                    {"OPENBOOK_EMBEDDER", *embedder},
                    {"OPENBOOK_ATLAS", test::source_folder() / "examples/smollm2.atlas.json"},
                    {"OPENBOOK_INDEX", folder_ / "index"},
                    {"OPENBOOK_LOG", folder_ / "log"},
                    {"OPENBOOK_LOG_KEY", folder_ / "log.key"}};
    fs::create_directories(folder_ / "docs");
    write("ferry.md", kPassage);
    for (int i = 0; i < kRows; ++i)
      write("docs/" + std::to_string(i) + ".txt", "Room " + std::to_string(i) + " has " + std::to_string(i % 7) + " chairs.\n");
  }

  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }

  // Rows of an evaluation, all alike.
  void write_rows(const std::string& name, const json& row) const {
    std::ofstream file(folder_ / name);
    for (int i = 0; i < kRows; ++i) file << row.dump() << "\n";
  }

  test::ProgramResult run(const std::vector<std::string>& arguments, test::ProgramOptions options = {}) const {
    options.environment = environment_;
    options.folder = folder_.path();
    return test::run_openbook(arguments, options);
  }

  // Sends SIGINT once `begun`; what a terminal showed is in `out`.
  test::ProgramResult interrupt(const std::vector<std::string>& arguments,
                                std::function<bool(const std::string& shown)> begun) const {
    return run(arguments, {.terminal = true, .interrupt_when = std::move(begun)});
  }

  // True once the progress bar shows this stage with something done.
  static std::function<bool(const std::string&)> under_way(const std::string& stage) {
    return [progress = std::regex(stage + " +[1-9][0-9]*/")](const std::string& shown) {
      return std::regex_search(shown, progress);
    };
  }

  static void expect_interrupted(const test::ProgramResult& result, const std::string& verb) {
    EXPECT_FALSE(result.killed) << verb << " did not stop by itself";
    EXPECT_EQ(result.status, 130) << verb << ": " << result.out;
    EXPECT_NE(result.out.find("openbook: stopped on request"), std::string::npos) << verb << ": " << result.out;
    EXPECT_EQ(result.out.find('{'), std::string::npos) << verb << " printed a result: " << result.out;
  }

  test::TemporaryFolder folder_;
  std::map<std::string, std::string> environment_;
};

TEST_F(CliInterruptTest, VerbsThatOnlyMeasureOrBuildLeaveNothingBehind) {
  write_rows("read.jsonl", {{"id", "r"},
                            {"title", "Ferries"},
                            {"document", kPassage},
                            {"question", "Who built the ferry?"},
                            {"answer", "Hanna Lindqvist"}});
  write_rows("unanswerable.jsonl", {{"id", "u"},
                                    {"question", "What does a ticket cost?"},
                                    {"answerable", false},
                                    {"passages", {{{"title", "Ferries"}, {"text", kPassage}}}}});
  const std::string facts = test::source_folder() / "attribution/data";
  const struct {
    std::vector<std::string> arguments;
    std::string stage;
  } rows[] = {
      {{"eval", "read", "read.jsonl", "--format", "json"}, "read"},
      {{"eval", "unanswerable", "unanswerable.jsonl", "--guard", "off"}, "unanswerable"},
      {{"atlas", "build", "--out", "new.atlas.json", "--facts", facts}, "invented subjects"},
  };
  const auto files = [&] { return std::distance(fs::directory_iterator(folder_.path()), {}); };
  const auto before = files();
  for (const auto& row : rows) {
    expect_interrupted(interrupt(row.arguments, under_way(row.stage)), row.arguments[0] + " " + row.arguments[1]);
    EXPECT_EQ(files(), before) << row.arguments[0] << " " << row.arguments[1];
  }
}

TEST_F(CliInterruptTest, AnInterruptedIngestKeepsEveryDocumentThatItReported) {
  const auto stopped = interrupt({"ingest", "docs"}, under_way("ingest"));
  expect_interrupted(stopped, "ingest");
  std::smatch reported;
  ASSERT_TRUE(std::regex_search(stopped.out, reported, std::regex("stopped after ([0-9]+) document"))) << stopped.out;
  const int kept = std::stoi(reported[1]);
  EXPECT_GT(kept, 0);
  EXPECT_LT(kept, kRows);
  EXPECT_EQ(run({"search", "chairs"}).status, 0);  // as it was left
  const json resumed = json::parse(run({"ingest", "docs", "--format", "json"}).out);
  EXPECT_EQ(resumed["unchanged"], kept);
  EXPECT_EQ(resumed["added"], kRows - kept);
}

TEST_F(CliInterruptTest, AnInterruptedAnswerIsInTheLogWithoutAnEnd) {
  ASSERT_EQ(run({"log", "init"}).status, 0);
  const auto log = [&] { return ProvenanceLog::open(folder_ / "log", folder_ / "log.key", LogMode::kReadOnly); };
  const auto stopped =
      interrupt({"ask", "Who built the ferry to Port Ellery?", "--passage", "ferry.md", "--log", "log", "--log-key", "log.key"},
                [&](const std::string&) { return !log()->entries().empty(); });
  expect_interrupted(stopped, "ask");
  EXPECT_EQ(stopped.out.find("Lindqvist"), std::string::npos) << "shown before it was judged: " << stopped.out;
  const std::string answer_id = log()->entries().at(0).receipt.answer_id;
  const auto verified = run({"log", "verify", "--format", "json"});
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
  EXPECT_EQ(json::parse(verified.out)["interrupted"], json::array({answer_id}));
  const auto again =
      run({"ask", "Who built the ferry to Port Ellery?", "--passage", "ferry.md", "--log", "log", "--log-key", "log.key"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(json::parse(run({"log", "verify", "--format", "json"}).out)["interrupted"], json::array({answer_id}));
}

TEST_F(CliInterruptTest, AQuestionWithoutALogAndAnAnswerToBeCheckedStop) {
  environment_.erase("OPENBOOK_LOG");
  environment_.erase("OPENBOOK_LOG_KEY");
  std::string essay;
  for (int i = 0; i < 140; ++i) essay += "The ferry to Port Ellery leaves from pier " + std::to_string(i) + ". ";
  const struct {
    std::vector<std::string> arguments;
  } rows[] = {
      {{"ask", "Who built the ferry?", "--passage", "ferry.md", "--guard", "off", "--max-tokens", "4096", "--temperature", "3"}},
      {{"check", "--question", "From which pier?", "--answer", essay, "--passage", "ferry.md"}},
      {{"bench", "decode", "--repeats", "1000"}},
  };
  for (const auto& row : rows) {
    const auto start = std::chrono::steady_clock::now();
    expect_interrupted(
        interrupt(row.arguments,
                  [&](const std::string&) { return std::chrono::steady_clock::now() - start > std::chrono::seconds(3); }),
        row.arguments[0]);
  }
}

}  // namespace
}  // namespace openbook
