// examples/embed.cc, built against the installed package, on the shipped models and atlas.
#include <fstream>

#include "base/program.h"
#include "base/test_support.h"

namespace openbook {
namespace {

class EmbedTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto model = test::model_folder("smollm2-135m-instruct"), embedder = test::model_folder("all-minilm-l6-v2");
    if (!model || !embedder) GTEST_SKIP() << "the models are not in build/models; cmake/setup.sh makes them";
    models_ = {*model, *embedder, test::source_folder() / "examples/smollm2.atlas.json"};
    std::ofstream(passage_)
        << "# Ferries\n\nThe ferry to Port Ellery was built by Hanna Lindqvist in Gothenburg. It leaves from pier 7.\n";
  }

  test::ProgramResult embed(const std::string& question) const {
    std::vector<std::string> arguments = models_;
    arguments.insert(arguments.end(), {question, passage_});
    return test::run_program(OPENBOOK_EMBED, arguments);
  }

  test::TemporaryFolder folder_;
  std::string passage_ = folder_ / "ferry.md";
  std::vector<std::string> models_;
};

TEST_F(EmbedTest, AnswersFromThePassageAndCitesIt) {
  const auto result = embed("Who built the ferry to Port Ellery?");
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_NE(result.out.find("\"Hanna Lindqvist in Gothenburg\" stands in " + passage_ + ":3\n"), std::string::npos) << result.out;
  EXPECT_TRUE(result.out.ends_with("outcome: answered\n")) << result.out;
}

TEST_F(EmbedTest, SaysWhyItDoesNotAnswer) {
  const auto result = embed("Who is the president of Brazil?");
  EXPECT_EQ(result.status, 4) << result.out << result.err;
  EXPECT_EQ(result.out.find("stands in"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("outcome: refused, because "), std::string::npos) << result.out;
}

TEST_F(EmbedTest, AFailureIsOneExceptionWithWhatAndWhere) {
  models_[0] = folder_ / "nowhere";
  const auto result = embed("Who built the ferry?");
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(result.err.starts_with("embed: ")) << result.err;
  EXPECT_NE(result.err.find("nowhere"), std::string::npos) << result.err;
}

TEST(InstalledProgram, RunsFromItsPrefix) {
  const auto result = test::run_program(OPENBOOK_INSTALLED, {"--version"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(result.out.starts_with("openbook ")) << result.out;
}

}  // namespace
}  // namespace openbook
