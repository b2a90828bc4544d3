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
            "openbook: skipped: docs/caf\\xE9.txt: the name is not UTF-8 at byte 8\n"
            "  Rename it: documents are cited by their names.\n");
}

TEST_F(CliDocumentsTest, AFileThatCanNotBeLookedAtIsNotGone) {
  run({"ingest", "docs"});
  fs::remove(folder_ / "docs/leave.md");
  fs::create_symlink("leave.md", folder_ / "docs/leave.md");
  const json again = run_json({"ingest", "docs", "--delete"});
  EXPECT_EQ(again["removed"], json::array());
  EXPECT_EQ(again["withdrawn"], json::array({"docs/leave.md"}));
  EXPECT_EQ(again["skipped"][0]["path"], "docs/leave.md");
}

TEST_F(CliDocumentsTest, WhatAFileSaidBeforeIsNoAnswerOnceItCanNotBeRead) {
  const auto spoil = [&](const std::string& bytes) { return [this, bytes] { write("leave.md", bytes); }; };
  fs::create_directories(folder_ / "elsewhere");
  std::ofstream(folder_ / "elsewhere/leave.md") << "Nobody gets 31 days of leave.\n";
  const std::pair<const char*, std::function<void()>> rows[] = {
      {"empty", spoil("")},
      {"UTF-16", spoil("\xFF\xFE#")},
      {"binary", spoil(std::string("31 days\0", 8))},
      {"larger than the limit", [&] { fs::resize_file(folder_ / "docs/leave.md", (64 << 20) + 1); }},
      {"PDF", spoil("%PDF-1.4")},
      {"is a link now",
       [&] {
         fs::remove(folder_ / "docs/leave.md");
         fs::create_symlink("../elsewhere/leave.md", folder_ / "docs/leave.md");
       }},
      {"not a file",
       [&] {
         fs::remove(folder_ / "docs/leave.md");
         fs::create_directory(folder_ / "docs/leave.md");
       }},
  };
  const auto found = [&] {
    return run({"search", "days of leave", "--mode", "words"}).out.find("leave.md") != std::string::npos;
  };
  for (const auto& [why, happens] : rows) {
    SCOPED_TRACE(why);
    fs::remove_all(folder_ / "docs/leave.md");
    write("leave.md", "# Leave\n\nEverybody gets 31 days of leave a year.\n");
    ASSERT_EQ(run({"ingest", "docs"}).status, 0);
    happens();
    const auto kept = run({"ingest", "docs", "--keep-stale", "--delete"});
    EXPECT_EQ(kept.status, 1);
    EXPECT_NE(kept.err.find(why), std::string::npos) << kept.err;
    EXPECT_NE(kept.err.find("stale: docs/leave.md: the version of before stays in the index"), std::string::npos) << kept.err;
    EXPECT_TRUE(found());
    const auto withdrawn = run({"ingest", "docs"});
    EXPECT_EQ(withdrawn.status, 1);
    EXPECT_NE(withdrawn.out.find("1 withdrawn"), std::string::npos) << withdrawn.out;
    EXPECT_NE(withdrawn.err.find("withdrawn: docs/leave.md"), std::string::npos) << withdrawn.err;
    EXPECT_FALSE(found());
  }
}

TEST_F(CliDocumentsTest, AFileIsOneDocumentWhateverTheWorkingFolder) {
  run({"ingest", "docs"});
  const std::string docs = fs::canonical(folder_ / "docs");
  const struct {
    const char* from;
    std::string path;
  } rows[] = {{"", "./docs"}, {"", docs}, {"docs", "."}, {"docs", "../docs/leave.md"}, {"elsewhere", docs}};
  fs::create_directories(folder_ / "elsewhere");
  for (const auto& [from, path] : rows) {
    const json again = json::parse(
        test::run_openbook({"ingest", path, "--format", "json", "--index", folder_ / "index", "--embedder", embedder_},
                           {.folder = folder_ / from})
            .out);
    EXPECT_EQ(again["added"], 0) << from << " " << path;
    EXPECT_GT(again["unchanged"], 0) << from << " " << path;
  }
  EXPECT_EQ(run_json({"index", "list"})["documents"].size(), 2u);
}

TEST_F(CliDocumentsTest, DeleteLooksBelowTheNamedFoldersOnlyAndNeverAtWhatIsThere) {
  fs::create_directories(folder_ / "more");
  std::ofstream(folder_ / "more/shed.md") << "The shed is green.\n";
  run({"ingest", "docs", "more"});
  fs::remove(folder_ / "more/shed.md");
  fs::remove(folder_ / "docs/leave.md");
  fs::create_directories(folder_ / "elsewhere/docs");
  std::ofstream(folder_ / "elsewhere/docs/pond.md") << "The pond is deep.\n";
  const auto other = test::run_openbook(
      {"ingest", "docs", "--delete", "--format", "json", "--index", folder_ / "index", "--embedder", embedder_},
      {.folder = folder_ / "elsewhere"});
  EXPECT_EQ(json::parse(other.out)["removed"], json::array()) << other.out;
  const auto gone = run({"ingest", "docs"});
  EXPECT_NE(gone.err.find("gone: docs/leave.md"), std::string::npos) << gone.err;
  const auto removed = run({"ingest", "docs", "--delete"});
  EXPECT_NE(removed.out.find("\nremoved docs/leave.md\n"), std::string::npos) << removed.out;
  EXPECT_EQ(removed.out.find("shed"), std::string::npos) << removed.out;
}

TEST_F(CliDocumentsTest, OneNameForTwoFilesIsRefusedAndChangesNothing) {
  run({"ingest", "docs"});
  fs::create_directories(folder_ / "elsewhere/docs");
  std::ofstream(folder_ / "elsewhere/docs/leave.md") << "Nobody gets leave.\n";
  const auto other = test::run_openbook({"ingest", "docs", "--index", folder_ / "index", "--embedder", embedder_},
                                        {.folder = folder_ / "elsewhere"});
  EXPECT_EQ(other.status, 1);
  const std::string here = fs::canonical(folder_.path());
  EXPECT_NE(other.err.find(here + "/docs/leave.md"), std::string::npos) << other.err;
  EXPECT_NE(other.err.find(here + "/elsewhere/docs/leave.md"), std::string::npos) << other.err;
  EXPECT_EQ(run_json({"ingest", "docs"})["unchanged"], 2);
  EXPECT_EQ(run({"ingest", "-", "--id", "docs/leave.md"}, {.input = "x"}).status, 1);
}

TEST_F(CliDocumentsTest, PatternsSayWhichFilesAreDocuments) {
  write("server.key", "not a key, but who knows\n");
  fs::create_directories(folder_ / "docs/drafts");
  std::ofstream(folder_ / "docs/drafts/wild.md") << "A wild plan.\n";
  const auto all = run({"ingest", "docs"});
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_NE(all.err.find("docs/server.key: left out"), std::string::npos) << all.err;
  EXPECT_NE(all.out.find("3 added"), std::string::npos) << all.out;
  // What a pattern leaves out is left alone, in the index too.
  const json some = run_json({"ingest", "docs", "--delete", "--include", "*.md", "--exclude", "drafts/"});
  EXPECT_EQ(some["unchanged"], 1);
  EXPECT_EQ(some["withdrawn"], json::array());
  EXPECT_EQ(run_json({"index", "list"})["documents"].size(), 3u);
  EXPECT_EQ(run({"ingest", "docs", "--include", "[x"}).status, 1);
}

TEST_F(CliDocumentsTest, AnIndexBelowTheFolderIsNoDocumentOfIt) {
  for (int time = 0; time < 2; ++time) {
    const auto ingest = run({"ingest", "."});
    EXPECT_EQ(ingest.status, 0) << ingest.err;
    EXPECT_TRUE(ingest.out.starts_with("2 documents")) << ingest.out;
  }
}

TEST_F(CliDocumentsTest, CopiesAreShownOnceWithTheirNames) {
  for (const char* name : {"b.md", "c.md", "d.md", "e.md"}) write(name, "# Leave\n\nEverybody gets 31 days of leave a year.\n");
  run({"ingest", "docs"});
  const json found = run_json({"search", "How many days of leave?", "--limit", "2"});
  ASSERT_EQ(found["passages"].size(), 2u);
  EXPECT_EQ(found["passages"][0]["also_in"].size(), 4u);
  EXPECT_EQ(found["passages"][1]["document"], "docs/kitchen.txt");
  const auto text = run({"search", "How many days of leave?", "--limit", "1"});
  EXPECT_NE(text.out.find(" and 1 more\n"), std::string::npos) << text.out;
}

TEST_F(CliDocumentsTest, AnIndexShowsWhatItHoldsAndLetsItGo) {
  run({"ingest", "docs"});
  run({"ingest", "-", "--id", "memo"}, {.input = "Mr Plumtree owes the club nine crowns.\n"});
  const json listed = run_json({"index", "list"});
  ASSERT_EQ(listed["documents"].size(), 3u);
  EXPECT_EQ(listed["documents"][2]["id"], "memo");
  EXPECT_EQ(listed["documents"][2]["file"], nullptr);
  EXPECT_EQ(listed["documents"][0]["file"], fs::canonical(folder_ / "docs/kitchen.txt").string());
  const auto text = run({"index", "list"});
  EXPECT_NE(text.out.find(listed["documents"][1]["sha256"].get<std::string>().substr(0, 12) + "  "), std::string::npos)
      << text.out;
  EXPECT_NE(text.out.find("  docs/leave.md\n"), std::string::npos) << text.out;
  const json about = run_json({"index", "info"});
  EXPECT_EQ(about["documents"], 3);
  EXPECT_EQ(about["roots"][0]["folder"], fs::canonical(folder_ / "docs").string());

  const auto removed = run({"index", "remove", "memo", "./docs/kitchen.txt", "nobody"});
  EXPECT_EQ(removed.status, 1);
  EXPECT_EQ(removed.out, "removed docs/kitchen.txt\nremoved memo\n");
  EXPECT_NE(removed.err.find("nobody: the index has no document of that name"), std::string::npos) << removed.err;
  EXPECT_EQ(run({"search", "Who owes the club?", "--mode", "words"}).out, "nothing found\n");
  const auto on_disk = [&](const std::string& word) {
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "index"))
      if (entry.is_regular_file()) {
        std::ifstream file(entry.path(), std::ios::binary);
        if (std::string(std::istreambuf_iterator<char>(file), {}).find(word) != std::string::npos) return true;
      }
    return false;
  };
  EXPECT_TRUE(on_disk("Plumtree"));
  EXPECT_EQ(run_json({"index", "gc"})["old_versions_dropped"], 2);
  EXPECT_FALSE(on_disk("Plumtree"));
  EXPECT_TRUE(on_disk("Everybody"));
  EXPECT_EQ(run_json({"index", "erase", "docs/leave.md"})["erased"], json::array({"docs/leave.md"}));
  for (const char* trace : {"Everybody", "everybody", "leave.md"}) EXPECT_FALSE(on_disk(trace)) << trace;
  EXPECT_EQ(run({"index", "erase", "docs/leave.md"}).status, 1);
  EXPECT_EQ(run({"index", "remove"}).status, 2);
  EXPECT_EQ(run({"index", "remove", "x", "--index", "nowhere"}).status, 1);
  EXPECT_FALSE(fs::exists(folder_ / "nowhere"));
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
