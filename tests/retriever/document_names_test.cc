#include "openbook/retriever/document_names.h"

#include <fstream>

#include "base/test_support.h"

namespace openbook::retriever {
namespace {

namespace fs = std::filesystem;

// Runs with the working folder elsewhere.
class DocumentNamesTest : public testing::Test {
 protected:
  void SetUp() override {
    before_ = fs::current_path();
    for (const char* file : {"home/docs/a.md", "home/docs/b.md", "home/c.md", "other/docs/a.md", "other/docs/new.md"}) {
      fs::create_directories((folder_ / file).parent_path());
      std::ofstream(folder_ / file) << "text";
    }
    root_ = fs::canonical(folder_.path());
  }
  void TearDown() override { fs::current_path(before_); }

  // What an ingest of `paths` from the folder `from` would name, into the index that this test pretends.
  std::vector<std::string> ingest(const std::string& from, const std::vector<fs::path>& paths) {
    fs::current_path(folder_ / from);
    DocumentNames names(roots_, documents_);
    std::vector<std::string> ids;
    for (const FoundFile& file : find_documents(paths).files) {
      ids.push_back(names.id_of(file));
      std::erase_if(documents_, [&](const StoredDocument& document) { return document.id == ids.back(); });
      documents_.push_back({.id = ids.back(), .file = file.file.string(), .ingested_ms = 1});
    }
    roots_ = names.roots();
    return ids;
  }

  std::string at(const std::string& below) const { return (root_ / below).string(); }

  test::TemporaryFolder folder_;
  fs::path before_, root_;
  std::vector<IndexRoot> roots_;
  std::vector<StoredDocument> documents_;
};

using Ids = std::vector<std::string>;

TEST_F(DocumentNamesTest, OneFileHasOneNameHoweverItsPathIsSpelled) {
  const Ids expected = {"docs/a.md", "docs/b.md"};
  EXPECT_EQ(ingest("home", {"docs"}), expected);
  fs::create_directory_symlink("home", folder_ / "link");
  const std::pair<const char*, fs::path> rows[] = {{"home", "./docs"}, {"home", "docs/"},         {"home", at("home/docs")},
                                                   {"home/docs", "."}, {"other", "../home/docs"}, {"other", "../link/docs"},
                                                   {"link", "docs"},   {"home", "docs/../docs/."}};
  for (const auto& [from, path] : rows) EXPECT_EQ(ingest(from, {path}), expected) << from << " " << path;
  EXPECT_EQ(ingest("other", {at("home/docs/a.md")}), Ids{"docs/a.md"});
  EXPECT_EQ(documents_.size(), 2u);
  EXPECT_EQ(roots_, (std::vector<IndexRoot>{{at("home/docs"), "docs"}}));
}

TEST_F(DocumentNamesTest, ANewFileIsNamedByTheNearestRoot) {
  ingest("home/docs", {"a.md"});
  EXPECT_EQ(ingest("home", {"docs/b.md"}), Ids{"b.md"});
  EXPECT_EQ(ingest("home", {"."}), (Ids{"c.md", "a.md", "b.md"}));
  EXPECT_EQ(ingest("home", {at("other/docs/new.md")}), Ids{at("other/docs/new.md")});  // not below the working folder
}

TEST_F(DocumentNamesTest, ALinkIsTheFileThatItLeadsTo) {
  fs::create_symlink("docs/a.md", folder_ / "home/latest.md");
  EXPECT_EQ(ingest("home", {"latest.md"}), Ids{"docs/a.md"});
  EXPECT_EQ(ingest("home", {"docs/a.md"}), Ids{"docs/a.md"});
}

TEST_F(DocumentNamesTest, OneNameForTwoFilesIsRefusedWithBothNamed) {
  ingest("home", {"docs"});
  EXPECT_ERROR(ingest("other", {"docs"}), Code::kFailedPrecondition, at("home/docs/a.md"));
  EXPECT_ERROR(ingest("other", {"docs"}), Code::kFailedPrecondition, at("other/docs/a.md"));
  EXPECT_EQ(documents_.size(), 2u);
  EXPECT_EQ(ingest("", {"other"}), (Ids{"other/docs/a.md", "other/docs/new.md"}));
}

TEST_F(DocumentNamesTest, AMovedFileTakesItsNameWithIt) {
  ingest("home", {"docs"});
  fs::rename(folder_ / "home", folder_ / "moved");
  EXPECT_EQ(ingest("moved", {"docs"}), (Ids{"docs/a.md", "docs/b.md"}));
  EXPECT_EQ(documents_.size(), 2u);
  EXPECT_EQ(documents_[0].file, at("moved/docs/a.md"));
}

TEST_F(DocumentNamesTest, WhatCameFromNoFileKeepsItsName) {
  documents_ = {{.id = "docs/a.md", .metadata = {{"source", "stdin"}}, .ingested_ms = 1}};
  EXPECT_ERROR(ingest("home", {"docs"}), Code::kFailedPrecondition, "came from no file");
  documents_ = {{.id = "docs/a.md", .file = at("home/docs/a.md"), .ingested_ms = 1}};
  EXPECT_ERROR(DocumentNames({}, documents_).require_no_file("docs/a.md"), Code::kFailedPrecondition, at("home/docs/a.md"));
  EXPECT_NO_THROW(DocumentNames({}, documents_).require_no_file("memo"));
}

TEST_F(DocumentNamesTest, DocumentsOfAnOlderVersionAreKnownByTheirIdsWhereAFileIsThere) {
  documents_ = {{.id = "docs/a.md"},
                {.id = "docs/gone.md"},
                {.id = at("other/docs/new.md")},
                {.id = "memo", .metadata = {{"source", "stdin"}}}};
  fs::current_path(folder_ / "home");
  const DocumentNames names({}, documents_);
  EXPECT_EQ(names.file_of("docs/a.md"), root_ / "home/docs/a.md");
  EXPECT_EQ(names.file_of("docs/gone.md"), root_ / "home/docs/gone.md");
  EXPECT_EQ(names.file_of("memo"), std::nullopt);
  fs::current_path(root_.root_path());  // nothing shows from where they were given: nothing may be taken for gone
  const DocumentNames elsewhere({}, documents_);
  EXPECT_EQ(elsewhere.file_of("docs/gone.md"), std::nullopt);
  EXPECT_EQ(elsewhere.file_of(at("other/docs/new.md")), root_ / "other/docs/new.md");
  EXPECT_EQ(ingest("home/docs", {"."}), (Ids{"a.md", "b.md"}));  // that docs/a.md is the same file can't be seen from there
  documents_.resize(3);
  EXPECT_EQ(ingest("other", {at("other/docs/new.md")}), Ids{at("other/docs/new.md")});
}

TEST_F(DocumentNamesTest, ADocumentIsFoundByItsIdOrItsFile) {
  ingest("home", {"docs"});
  const DocumentNames names(roots_, documents_);
  fs::current_path(folder_ / "home/docs");
  for (const char* name : {"docs/a.md", "a.md", "./a.md", "../docs/a.md"}) EXPECT_EQ(names.find(name), "docs/a.md") << name;
  fs::remove(folder_ / "home/docs/b.md");
  EXPECT_EQ(names.find("b.md"), "docs/b.md");
  EXPECT_EQ(names.find("c.md"), std::nullopt);
}

}  // namespace
}  // namespace openbook::retriever
