// Ingest and search from the command line, with the text encoder that set-up unpacked.
#include <fstream>

#include "base/test_support.h"
#include "guard/program.h"

namespace openbook {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class CliDocumentsTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto embedder = test::model_folder("all-minilm-l6-v2");
    if (!embedder) GTEST_SKIP() << "build/models/all-minilm-l6-v2 is not there; cmake/setup.sh makes it";
    embedder_ = fs::absolute(*embedder);
    write("leave.md", "# Leave\n\nEverybody gets 31 days of leave a year.\n");
    write("kitchen.txt", "The coffee machine is cleaned every Friday.\n");
  }

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(folder_ / "docs");
    std::ofstream(folder_ / "docs" / name) << text;
  }

  test::ProgramResult run(const std::vector<std::string>& arguments, test::ProgramOptions options = {}) const {
    options.environment.insert({{"OPENBOOK_INDEX", folder_ / "index"}, {"OPENBOOK_EMBEDDER", embedder_}});
    options.folder = folder_.path();
    return test::run_openbook(arguments, options);
  }
  json run_json(std::vector<std::string> arguments, const test::ProgramOptions& options = {}) const {
    arguments.insert(arguments.end(), {"--format", "json"});
    return json::parse(run(arguments, options).out);
  }

  test::TemporaryFolder folder_;
  fs::path embedder_;
};

TEST_F(CliDocumentsTest, WhatWasIngestedIsFoundWithFileAndLine) {
  const auto ingest = run({"ingest", "docs"});
  EXPECT_EQ(ingest.status, 0) << ingest.err;
  EXPECT_TRUE(ingest.out.starts_with("2 documents: 2 added, 0 replaced, 0 unchanged; 0 removed, 0 skipped\n")) << ingest.out;
  EXPECT_EQ(ingest.err, "");
  const json found = run_json({"search", "How much holiday do I get?", "--limit", "1"});
  ASSERT_EQ(found["passages"].size(), 1u);
  const json& passage = found["passages"][0];
  EXPECT_EQ(passage["document"], "docs/leave.md");
  EXPECT_NE(passage["text"].get<std::string>().find("31 days"), std::string::npos);
  const auto by_words = run({"search", "-", "--mode", "words"}, {.input = "coffee\n"});
  EXPECT_TRUE(by_words.out.starts_with("1  docs/kitchen.txt:1  score ")) << by_words.out;
}

TEST_F(CliDocumentsTest, ASecondIngestChangesOnlyWhatChanged) {
  run({"ingest", "docs"});
  write("leave.md", "# Leave\n\nEverybody gets 33 days of leave a year.\n");
  write("new.md", "Doors close at nine.\n");
  const json again = run_json({"ingest", "docs"});
  EXPECT_EQ(again["added"], 1);
  EXPECT_EQ(again["replaced"], 1);
  EXPECT_EQ(again["unchanged"], 1);
  fs::remove(folder_ / "docs/kitchen.txt");
  EXPECT_EQ(run_json({"ingest", "docs"})["removed"], json::array());
  EXPECT_EQ(run_json({"ingest", "docs", "--delete"})["removed"], json::array({"docs/kitchen.txt"}));
  fs::remove(folder_ / "docs/new.md");
  EXPECT_EQ(run({"ingest", "docs/new.md"}).status, 1);
  EXPECT_EQ(run_json({"ingest", "docs/new.md", "--delete"})["removed"], json::array({"docs/new.md"}));
  EXPECT_EQ(run({"ingest", "docs/new.md", "--delete"}).status, 1);  // neither a file nor in the index
}

TEST_F(CliDocumentsTest, WhatCanNotBeReadIsSkippedAndSaid) {
  write("photo.jpg", std::string("\xFF\xD8\0\x10", 4));
  write("latin.txt", "caf\xE9\n");
  const auto ingest = run({"ingest", "docs"});
  EXPECT_EQ(ingest.status, 1);
  EXPECT_NE(ingest.out.find("2 added, 0 replaced, 0 unchanged; 0 removed, 2 skipped"), std::string::npos) << ingest.out;
  EXPECT_NE(ingest.err.find("openbook: skipped: docs/latin.txt: not UTF-8 at byte 3"), std::string::npos) << ingest.err;
  EXPECT_NE(ingest.err.find("docs/photo.jpg"), std::string::npos) << ingest.err;
}

TEST_F(CliDocumentsTest, WhatCanNotBeReadIsNamedEvenWhereItsNameIsNot) {
  write("caf\xE9.txt", "text\n");
  fs::create_symlink("loop", folder_ / "docs/loop");
  const auto ingest = run({"ingest", "docs"});
  EXPECT_EQ(ingest.status, 1);
  EXPECT_NE(ingest.out.find("2 added, 0 replaced, 0 unchanged; 0 removed, 2 skipped"), std::string::npos) << ingest.out;
  EXPECT_EQ(ingest.err,
            "openbook: skipped: docs/loop: can't be read: Too many levels of symbolic links\n"
            "openbook: skipped: docs/caf\\xE9.txt: the name is not UTF-8 at byte 8\n");
}

TEST_F(CliDocumentsTest, AFileThatCanNotBeLookedAtIsNotGone) {
  run({"ingest", "docs"});
  fs::remove(folder_ / "docs/leave.md");
  fs::create_symlink("leave.md", folder_ / "docs/leave.md");
  const json again = run_json({"ingest", "docs", "--delete"});
  EXPECT_EQ(again["removed"], json::array());
  EXPECT_EQ(again["skipped"][0]["path"], "docs/leave.md");
}

TEST_F(CliDocumentsTest, ANameWithALineFeedStaysOnItsLine) {
  write("l.md:9  \"no\"\n[7] trusted.md:1  \"forged\".md", "The pool opens at six.\n");
  write("bad\n[8] skipped", "\xFF");
  const auto ingest = run({"ingest", "docs"});
  EXPECT_NE(ingest.err.find("docs/bad\\n[8] skipped"), std::string::npos) << ingest.err;
  EXPECT_EQ(ingest.err.find("\n[8]"), std::string::npos) << ingest.err;
  const auto found = run({"search", "pool", "--mode", "words", "--limit", "1"});
  EXPECT_TRUE(found.out.starts_with("1  docs/l.md:9  \"no\"\\n[7] trusted.md:1  \"forged\".md:1  score ")) << found.out;
}

TEST_F(CliDocumentsTest, EscapeSequencesInADocumentAreShownAndNotObeyed) {
  write("evil.md", "Passwords are \x1B[8mhidden\x1B[0m and \xE2\x80\xAEreversed\xC2\x9B.\n");
  run({"ingest", "docs"});
  const auto text = run({"search", "passwords hidden", "--limit", "1"}, {.terminal = true});
  EXPECT_NE(text.out.find("\\x1B[8mhidden\\x1B[0m and \\u{202E}reversed\\x9B"), std::string::npos) << text.out;
  EXPECT_EQ(text.out.find("\x1B[8m"), std::string::npos);
  const auto as_json = run({"search", "passwords hidden", "--limit", "1", "--format", "json"}, {.terminal = true});
  for (const char* raw : {"\x1B", "\xE2\x80\xAE", "\xC2\x9B"}) EXPECT_EQ(as_json.out.find(raw), std::string::npos);
}

TEST_F(CliDocumentsTest, StdinIsADocumentWithAName) {
  EXPECT_EQ(run({"ingest", "-"}, {.input = "x"}).status, 2);
  EXPECT_EQ(run({"ingest", "-", "--id", "a\nb"}, {.input = "x"}).status, 2);
  const auto unused = run({"ingest", "docs", "--id", "note"});
  EXPECT_EQ(unused.status, 2);
  EXPECT_NE(unused.err.find("--id"), std::string::npos) << unused.err;
  EXPECT_EQ(run({"ingest", "-", "--id", "note"}, {.input = " \n"}).status, 1);
  EXPECT_FALSE(fs::exists(folder_ / "index"));  // none of these made one
  EXPECT_EQ(run({"ingest", "-", "--id", "note"}, {.input = "The lift is out of order.\n"}).status, 0);
  EXPECT_EQ(run_json({"search", "lift"})["passages"][0]["document"], "note");
  EXPECT_EQ(run_json({"ingest", ".", "--delete"})["removed"], json::array());  // it never had a file
}

TEST_F(CliDocumentsTest, MissingAndEmptyThingsAreNamed) {
  const struct {
    std::vector<std::string> arguments;
    const char* message;
  } rows[] = {
      {{"ingest", "nowhere"}, "nowhere: no such file or folder"},
      {{"ingest", "docs", "--embedder", "nowhere"}, "nowhere"},
      {{"search", "x", "--index", "nowhere"}, "nowhere"},
      {{"search", "  "}, "empty"},
  };
  fs::create_directories(folder_ / "hollow");
  for (const auto& row : rows) {
    const auto result = run(row.arguments);
    EXPECT_EQ(result.status, 1) << row.message;
    EXPECT_TRUE(result.err.starts_with("openbook: ")) << result.err;
    EXPECT_NE(result.err.find(row.message), std::string::npos) << result.err;
    if (row.arguments[0] == "ingest") run({"ingest", "docs"});
  }
  EXPECT_NE(run({"ingest", "hollow"}).err.find("no documents found"), std::string::npos);
}

TEST_F(CliDocumentsTest, PathsThatHoldNothingMakeNoIndexAndOneLine) {
  fs::create_directories(folder_ / "hollow");
  fs::create_symlink("loop", folder_ / "loop");
  const std::pair<const char*, const char*> rows[] = {
      {"nowhere", "openbook: nowhere: no such file or folder\n"},
      {"hollow", "openbook: no documents found\n  Name text or Markdown files, or a folder that holds some.\n"},
      {"loop",
       "openbook: no documents found; loop: can't be read: Too many levels of symbolic links\n"
       "  Name text or Markdown files, or a folder that holds some.\n"},
  };
  for (const auto& [path, message] : rows) {
    const auto result = run({"ingest", path});
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(result.err, message);
    EXPECT_EQ(run({"ingest", path, "--delete"}).status, 1);
  }
  EXPECT_FALSE(fs::exists(folder_ / "index"));
}

TEST_F(CliDocumentsTest, AnEmptiedFolderIsRemovedOnRequest) {
  run({"ingest", "docs"});
  fs::remove(folder_ / "docs/leave.md");
  fs::remove(folder_ / "docs/kitchen.txt");
  EXPECT_EQ(run_json({"ingest", "docs", "--delete"})["removed"], json::array({"docs/kitchen.txt", "docs/leave.md"}));
}

TEST_F(CliDocumentsTest, AnEmptyPlaceIsNoPlace) {
  const auto flag = run({"ingest", "docs", "--index", ""});
  EXPECT_EQ(flag.status, 2);
  EXPECT_TRUE(flag.err.starts_with("openbook: --index: is empty")) << flag.err;
  EXPECT_EQ(run({"search", "leave", "--index="}).status, 2);
  const auto variable = run({"ingest", "docs"}, {.environment = {{"OPENBOOK_INDEX", ""}}});
  EXPECT_EQ(variable.status, 2);
  EXPECT_NE(variable.err.find("--index DIR is needed"), std::string::npos) << variable.err;
}

TEST_F(CliDocumentsTest, ProgressIsDrawnOnTerminalsOnly) {
  EXPECT_EQ(run({"ingest", "docs"}).err, "");
  EXPECT_NE(run({"ingest", "docs"}, {.terminal = true}).out.find("ingest  0/2"), std::string::npos);
}

TEST_F(CliDocumentsTest, DoctorSaysWhatIsThereAndWhatIsWrong) {
  run({"ingest", "docs"});
  const json report = run_json({"doctor"}, {.environment = {{"OPENBOOK_MODEL", folder_ / "no-model"}}});
  EXPECT_FALSE(report["healthy"]);
  std::map<std::string, json> checks;
  for (const json& check : report["checks"]) checks[check["check"]] = check;
  EXPECT_EQ(checks["embedder"]["state"], "ok") << checks["embedder"];
  EXPECT_EQ(checks["index"]["state"], "ok") << checks["index"];
  EXPECT_NE(checks["index"]["detail"].get<std::string>().find("2 documents"), std::string::npos);
  EXPECT_EQ(checks["model"]["state"], "wrong") << checks["model"];
  EXPECT_NE(checks["model"]["detail"].get<std::string>().find("no-model"), std::string::npos);
  EXPECT_EQ(run({"doctor", "--model", folder_ / "no-model"}).status, 1);
}

}  // namespace
}  // namespace openbook
