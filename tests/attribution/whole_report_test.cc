// The atlas report with its real experiments, on a hand-written model: killed half way, and made twice.
#include "attribution/knowing_llama.h"
#include "base/program.h"
#include "base/test_support.h"
#include "openbook/base/file.h"
#include "report/experiment.h"

namespace openbook::attribution {
namespace {

class WholeReport : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new openbook::test::TemporaryFolder;
    openbook::test::knowing_llama(openbook::test::capital_facts()).write(*folder_ / "model");
    const auto written = write("whole");
    ASSERT_EQ(written.status, 0) << written.err;
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }

  static openbook::test::ProgramResult write(const std::string& out, const std::string& last_stage = "") {
    std::vector<std::string> arguments = {*folder_ / "model", *folder_ / out};
    if (!last_stage.empty()) arguments.push_back(last_stage);
    return openbook::test::run_program(OPENBOOK_REPORT_WRITER, arguments);
  }

  // What it says, without dates and times.
  static std::string numbers(const std::string& out) {
    Json report = Json::parse(read_file(*folder_ / out / "report.json"));
    report.erase("made");
    return report.dump();
  }

  static Json result(const std::string& part) {
    return Json::parse(read_file(*folder_ / "whole" / "parts" / (part + ".json")))["content"]["result"];
  }

  static size_t finished_parts(const std::string& out) {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(*folder_ / out / "parts"), {}));
  }

  static inline openbook::test::TemporaryFolder* folder_ = nullptr;
};

TEST_F(WholeReport, KilledHalfWayItResumesToTheSameNumbers) {
  const struct {
    const char* stage;
    size_t parts;  // finished before it
  } kills[] = {{"groundwork", 0}, {"part 2 of", 1}, {"part 3 of 7, surgery: surgery", 2}, {"part 7 of", 6}};
  for (const auto& kill : kills) {  // one after the other, in one folder
    const auto killed = write("cut", kill.stage);
    EXPECT_TRUE(killed.killed) << kill.stage << ": " << killed.err;
    EXPECT_FALSE(std::filesystem::exists(*folder_ / "cut" / "report.json")) << kill.stage;
    EXPECT_EQ(finished_parts("cut"), kill.parts) << kill.stage;
  }
  const auto resumed = write("cut");
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(numbers("cut"), numbers("whole"));
}

TEST_F(WholeReport, OfOneSeedIsTheSameTwice) {
  ASSERT_EQ(write("again").status, 0);
  EXPECT_EQ(numbers("again"), numbers("whole"));
}

// Every case and its cause.
void expect_contrast(const Json& part) {
  EXPECT_EQ(part["known_facts"], 24);
  const Json& settings = part["tables"][0];
  EXPECT_EQ(settings["columns"][4], "copied");
  std::map<std::string, Json> rows;
  for (const Json& row : settings["rows"]) rows[row[0]] = row;
  EXPECT_EQ(rows["own"][2], rows["own"][1]) << "the document's answer is given in every case";
  EXPECT_EQ(rows["own"][5], 0) << "none of them is recited";
  EXPECT_EQ(rows["closed"][3], rows["closed"][1]) << "memory's answer is given in every case";
  EXPECT_EQ(rows["closed"][4], 0) << "none of them is copied";
}

// The model as it is, and changed.
void expect_drift(const Json& part) {
  const Json& rows = part["tables"][0]["rows"];
  ASSERT_EQ(rows.size(), 3u) << part["left_out"];
  for (const Json& row : rows) {
    EXPECT_EQ(row[4]["value"], 1) << row;  // AUC
    EXPECT_EQ(row[4]["n"], row[2].get<int64_t>() + row[3].get<int64_t>()) << row;
    EXPECT_EQ(row[6]["n"], row[3]) << "recited ones may pass: " << row;
    EXPECT_EQ(row.back(), "holds") << row;
  }
  ASSERT_EQ(part["left_out"].size(), 1u) << part["left_out"];
  EXPECT_NE(part["left_out"][0].get<std::string>().find("fine_tune.py"), std::string::npos);
}

TEST_F(WholeReport, ContrastCountsCausesAndDriftJudgesChangedModels) {
  expect_contrast(result("contrast"));
  expect_drift(result("drift"));
}

}  // namespace
}  // namespace openbook::attribution
