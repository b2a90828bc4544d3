// `openbook atlas report` as a program: stopped in its groundwork it keeps what was finished, and it records how it was called.
// The parts' own resumption is tested on a hand-written model, of which no atlas can be built (whole_report_test).
#include <regex>

#include "attribution/small_atlas.h"
#include "base/test_support.h"
#include "guard/program.h"
#include "openbook/base/file.h"
#include "openbook/engine/text_encoder.h"
#include "report/report.h"

namespace openbook {
namespace {

namespace fs = std::filesystem;
using attribution::Json;

class CliReportTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto model = test::model_folder("smollm2-135m-instruct"), embedder = test::model_folder("all-minilm-l6-v2");
    if (!model || !embedder) GTEST_SKIP() << "the models are not in build/models; cmake/setup.sh makes them";
    environment_ = {{"OPENBOOK_MODEL", *model}, {"OPENBOOK_EMBEDDER", *embedder}};
    begin_report(*model, *embedder);
  }

  // As a run leaves it that was stopped after its first part.
  void begin_report(const fs::path& model, const fs::path& embedder_folder) const {
    const engine::Decoder decoder(engine::Model::load(model, {.device = "cpu"}));
    const auto embedder = engine::TextEncoder::load(embedder_folder);
    const auto facts = attribution::ContrastSet::load(facts_);
    const auto biographies = attribution::Biographies::load(facts_);
    const std::vector<attribution::Experiment> first = {{"contrast", "Contrast", "", [](const attribution::Laboratory&) {
                                                           return Json{{"tables", Json::array()}};
                                                         }}};
    attribution::write_report(
        {.decoder = &decoder, .facts = &facts, .biographies = &biographies, .embedder = embedder.get(), .quick = true}, first,
        {.out = folder_ / "my report", .max_facts = 6},
        [](const attribution::Laboratory&, const attribution::ReportOptions&, std::optional<attribution::HeadAtlas>) {
          auto groundwork = std::make_unique<attribution::Groundwork>();
          groundwork->atlas = openbook::test::small_atlas();
          return groundwork;
        });
    fs::remove(report_ / "report.json");
    fs::remove(report_ / "report.html");
  }

  test::ProgramResult run(std::vector<std::string> more, test::ProgramOptions options = {}) const {
    std::vector<std::string> arguments = {"atlas",   "report",      "--out", "my report", "--facts", facts_,
                                          "--quick", "--max-facts", "6",     "--device",  "cpu"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    options.environment = environment_;
    options.folder = folder_.path();
    return test::run_openbook(arguments, options);
  }

  const test::TemporaryFolder folder_;
  const fs::path report_ = folder_ / "my report";
  const std::string facts_ = test::source_folder() / "attribution/data";
  std::map<std::string, std::string> environment_;
};

TEST_F(CliReportTest, InterruptedItKeepsItsPartsAndGoesOnWithTheCommandItRecords) {
  const std::string kept = read_file(report_ / "parts" / "contrast.json");
  const auto stopped = run({}, {.terminal = true, .interrupt_when = [](const std::string& shown) {
                                  return std::regex_search(shown, std::regex("groundwork: [a-z ]+ +[1-9][0-9]*/"));
                                }});
  EXPECT_FALSE(stopped.killed);
  EXPECT_EQ(stopped.status, 130) << stopped.out;
  EXPECT_FALSE(fs::exists(report_ / "report.json"));
  EXPECT_EQ(read_file(report_ / "parts" / "contrast.json"), kept);

  const auto finished = run({"--only", "contrast"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(read_file(report_ / "parts" / "contrast.json"), kept);
  const Json report = Json::parse(read_file(report_ / "report.json"));
  EXPECT_EQ(report["parts"][0]["state"], "finished");
  EXPECT_EQ(report["made"]["command"],
            "openbook atlas report --out 'my report' --facts " + facts_ + " --quick --only contrast --max-facts 6 --device cpu");
  for (const Json& part : report["parts"]) EXPECT_GE(part["about"].get<std::string>().size(), 150u) << part["name"];

  const auto other = run({"--only", "contrast", "--seed", "2"});
  EXPECT_EQ(other.status, 1);
  EXPECT_NE(other.err.find("seed is 1 there and 2 here"), std::string::npos) << other.err;
}

}  // namespace
}  // namespace openbook
