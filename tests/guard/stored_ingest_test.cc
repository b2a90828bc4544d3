// An index that openbook 0.1.0 made, with the encoder that made it: found by vectors, and brought up to date by a later ingest.
#include <fstream>

#include "guard/stored.h"

namespace openbook {
namespace {

using nlohmann::json;

class StoredIngest : public test::StoredTest {
 protected:
  void SetUp() override {
    const auto embedder = test::model_folder("all-minilm-l6-v2");
    if (!embedder) GTEST_SKIP() << "all-minilm-l6-v2 is not in build/models; cmake/setup.sh makes it";
    options_.environment = {{"OPENBOOK_EMBEDDER", *embedder}, {"OPENBOOK_INDEX", "index"}};
    unpack("index.tar.gz");
    std::filesystem::create_directory(folder_ / "docs");
    write("ferry.md", "# Ferry\n\nThe ferry to Skarholm leaves from pier 3.\n\n## Fares\n\nA ticket costs 14 crowns.\n");
    write("library.txt", "The library opens at ten. It closes at six.\n");
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / "docs" / name) << text; }

  json ingest() const {
    const auto done = run({"ingest", "docs", "--format", "json"}, options_);
    EXPECT_EQ(done.status, 0) << done.err;
    return json::parse(done.out);
  }
  std::vector<json> search(const std::string& question) const {
    const auto found = run({"search", question, "--mode", "vectors", "--format", "json"}, options_);
    EXPECT_EQ(found.status, 0) << found.err;
    return json::parse(found.out)["passages"];
  }
  std::vector<std::string> passages_of_the_library() const {
    std::vector<std::string> texts;
    for (const json& passage : search("When does the library open?"))
      if (passage["text"].get<std::string>().find("library") != std::string::npos) texts.push_back(passage["text"]);
    return texts;
  }

  test::ProgramOptions options_;
};

TEST_F(StoredIngest, IsSearchedByVectors) {
  const auto found = search("Which quay do boats depart from?");
  ASSERT_FALSE(found.empty());
  EXPECT_NE(found[0]["text"].get<std::string>().find("Skarholm"), std::string::npos) << found[0];
}

// However documents are named or cut by then, none is there twice and none of the old text answers.
TEST_F(StoredIngest, IsBroughtUpToDateWithoutDoubles) {
  EXPECT_EQ(ingest()["added"], 0) << "the documents are the ones that are stored";
  EXPECT_EQ(passages_of_the_library().size(), 1u);
  write("library.txt", "The library opens at eleven. It closes at six.\n");
  EXPECT_EQ(ingest()["replaced"], 1);
  EXPECT_EQ(passages_of_the_library(), std::vector<std::string>{"The library opens at eleven. It closes at six."});
}

}  // namespace
}  // namespace openbook
