// Which files below a folder are documents: patterns, and names that are left out by default.
#include <fstream>

#include "base/test_support.h"
#include "openbook/retriever/document.h"

namespace openbook::retriever {
namespace {

TEST(FileRules, PatternsNameFilesAndFolders) {
  const struct {
    const char *pattern, *below;
    bool named;
  } rows[] = {
      {"*.md", "a.md", true},
      {"*.md", "deep/er/a.md", true},
      {"*.md", "a.md.txt", false},
      {"*.MD", "a.md", false},
      {"a?.md", "aé.md", true},
      {"a?.md", "a.md", false},
      {"[a-c]*.txt", "b1.txt", true},
      {"[!a-c]*.txt", "b1.txt", false},
      {"[!a-c]*.txt", "é.txt", true},
      {"[]]x", "]x", true},
      {"drafts", "drafts/x/a.md", true},  // a folder is named with what is below it
      {"drafts/", "drafts/a.md", true},
      {"drafts/", "drafts", false},  // a file of that name
      {"drafts/", "old/drafts/a.md", true},
      {"/drafts", "drafts/a.md", true},
      {"/drafts", "old/drafts/a.md", false},
      {"old/drafts", "old/drafts/a.md", true},
      {"drafts/a.md", "old/drafts/a.md", false},
      {"docs/*.md", "docs/a.md", true},
      {"docs/*.md", "docs/sub/a.md", false},
      {"docs/**/*.md", "docs/sub/sub/a.md", true},
      {"docs/**/*.md", "docs/a.md", true},
      {"**/a.md", "a.md", true},
      {"**/a.md", "x/y/a.md", true},
      {"**/a.md", "x/ba.md", false},
      {"docs/**", "docs/x/y", true},
      {"*", "anything/at.all", true},
  };
  for (const auto& row : rows)
    EXPECT_EQ(is_excluded(row.below, {.include = {}, .exclude = {row.pattern}}), row.named) << row.pattern << " on " << row.below;
  const FileRules both{.include = {"*.md"}, .exclude = {"drafts"}};
  EXPECT_FALSE(is_excluded("a.md", both));
  EXPECT_TRUE(is_excluded("a.txt", both));
  EXPECT_TRUE(is_excluded("drafts/a.md", both));
  for (const char* bad : {"", "/", "a[b"})
    EXPECT_ERROR(find_documents({}, {.include = {bad}, .exclude = {}}), Code::kInvalidArgument, "pattern");
}

TEST(FileRules, AHostilePatternTakesNoLongTime) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(is_excluded(std::string(4000, 'a') + "b", {.include = {}, .exclude = {pattern + "c"}}));
}

TEST(FileRules, KeysAndPasswordsAreLeftOutUnlessAPatternNamesThem) {
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "in");
  for (const char* name : {"a.md", "id_ed25519", "server.PEM", "prod.env", "vault.kdbx", "monkey.txt", "id_rsa.pub"})
    std::ofstream(folder.path() / "in" / name) << "x";
  const auto names = [&](const FileRules& rules) {
    std::string names;
    const FoundDocuments found = find_documents({folder / "in"}, rules);
    for (const FoundFile& file : found.files) names += file.path.filename().string() + " ";
    return names + "| " + std::to_string(found.secrets.size());
  };
  EXPECT_EQ(names({}), "a.md id_rsa.pub monkey.txt | 4");
  EXPECT_EQ(names({.include = {"*"}, .exclude = {}}), "a.md id_rsa.pub monkey.txt | 4");
  EXPECT_EQ(names({.include = {"*.kdbx", "*.md"}, .exclude = {}}), "a.md vault.kdbx | 0");
  EXPECT_EQ(names({.include = {}, .exclude = {"*.env", "id_*"}}), "a.md monkey.txt | 2");
  EXPECT_EQ(find_documents({folder / "in/prod.env"}).secrets.size(), 1u);
}

}  // namespace
}  // namespace openbook::retriever
