#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <fstream>

#include "base/test_support.h"
#include "openbook/base/file.h"
#include "openbook/retriever/document.h"

namespace openbook::retriever {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, std::string_view bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(Loader, KeepsTheTextAsTheFileHasItLessTheByteOrderMark) {
  const test::TemporaryFolder folder;
  write(folder / "a.MD", "\xEF\xBB\xBF# Título\r\n\x1B[31mred\x1B[0m\n");
  const Document document = load_document(folder / "a.MD");
  EXPECT_EQ(document.text, "# Título\r\n\x1B[31mred\x1B[0m\n");
  EXPECT_EQ(document.format, "markdown");
  EXPECT_EQ(document.id, (folder / "a.MD").string());
  write(folder / "notes.cfg", "key = value");
  EXPECT_EQ(load_document(folder / "notes.cfg").format, "text");
}

TEST(Loader, TheIdIsRelativeBelowTheWorkingFolder) {
  const test::TemporaryFolder folder;
  write(folder / "sub/a.txt", "text");
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const std::string absolute = load_document(folder / "sub/a.txt").id;
  const std::string dotted = load_document("./sub/../sub/a.txt").id;
  fs::current_path(before);
  EXPECT_EQ(absolute, "sub/a.txt");
  EXPECT_EQ(dotted, "sub/a.txt");
}

TEST(Loader, BadFilesAreNamedWithWhatIsWrong) {
  const test::TemporaryFolder folder;
  fs::create_directory(folder / "folder");
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::ofstream(folder / "big").close();
  fs::resize_file(folder / "big", kMaxDocumentBytes + 1);
  const struct {
    std::string name, bytes;
    Code code;
    std::string piece;
  } rows[] = {
      {"missing", "", Code::kNotFound, "no such file"},
      {"folder", "", Code::kInvalidArgument, "not a file"},
      {"pipe", "", Code::kInvalidArgument, "not a file"},
      {"big", "", Code::kOutOfRange, "limit of 67108864 bytes"},
      {"binary", std::string("PK\x03\x04\0\0", 6), Code::kInvalidArgument, "NUL at byte 4"},
      {"latin1", "caf\xE9 au lait", Code::kInvalidArgument, "not UTF-8 at byte 3"},
      {"cut", "ok \xE4\xB8", Code::kInvalidArgument, "not UTF-8 at byte 3"},
      {"utf16",
       std::string("\xFF\xFE"
                   "a\0",
                   4),
       Code::kInvalidArgument, "UTF-16"},
      {"caf\xE9.txt", "text", Code::kInvalidArgument, "the name is not UTF-8"},
      {"blank", " \n\xE3\x80\x80\t", Code::kInvalidArgument, "empty"},
      {"nothing", "\xEF\xBB\xBF", Code::kInvalidArgument, "empty"},
  };
  for (const auto& row : rows) {
    if (!row.bytes.empty()) write(folder / row.name, row.bytes);
    EXPECT_ERROR(load_document(folder / row.name), row.code, row.name);
    EXPECT_ERROR(load_document(folder / row.name), row.code, row.piece);
  }
}

TEST(Loader, FoldersAreWalkedInOrderWithoutHiddenFilesOrWaysOut) {
  const test::TemporaryFolder folder;
  write(folder / "outside.txt", "secret");
  write(folder / "in/b.md", "b");
  write(folder / "in/a/z.txt", "z");
  write(folder / "in/.hidden", "h");
  write(folder / "in/.git/config", "c");
  fs::create_symlink("../outside.txt", folder / "in/way-out.txt");
  fs::create_symlink("b.md", folder / "in/inside.md");
  fs::create_directory_symlink(".", folder / "in/loop");
  fs::create_symlink("nowhere", folder / "in/dangling");
  const std::vector<fs::path> expected = {folder / "in/a/z.txt", folder / "in/b.md", folder / "in/inside.md",
                                          folder / "outside.txt"};
  const FoundDocuments found = find_documents({folder / "in", folder / "outside.txt"});
  EXPECT_EQ(found.files, expected);
  EXPECT_TRUE(found.unreadable.empty());
}

// Folders inside each other until a path of them is longer than the system takes: nobody can read that one, root neither.
fs::path unreadable_folder(const fs::path& in) {
  const fs::path before = fs::current_path();
  const std::string name(250, 'd');
  fs::path deepest = in;
  fs::current_path(in);
  while (deepest.native().size() < PATH_MAX) {
    fs::create_directory(name);
    fs::current_path(name);
    deepest /= name;
  }
  fs::current_path(before);
  return deepest;
}

TEST(Loader, WhatCanNotBeReadHidesNothingElse) {
  const test::TemporaryFolder folder;
  write(folder / "in/a.md", "a");
  write(folder / "in/z/z.md", "z");
  fs::create_symlink("loop", folder / "in/loop");
  const fs::path deep = unreadable_folder(folder / "in");
  const FoundDocuments found = find_documents({folder / "in"});
  EXPECT_EQ(found.files, (std::vector<fs::path>{folder / "in/a.md", folder / "in/z/z.md"}));
  ASSERT_EQ(found.unreadable.size(), 2u);
  EXPECT_EQ(found.unreadable[0].path, deep);
  EXPECT_EQ(found.unreadable[0].why, "can't be read: File name too long");
  EXPECT_EQ(found.unreadable[1].path, folder / "in/loop");
  EXPECT_EQ(found.unreadable[1].why, "can't be read: Too many levels of symbolic links");
}

TEST(Loader, AFolderWithoutLeaveToReadIsNamed) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads every folder";
  const test::TemporaryFolder folder;
  write(folder / "in/a.md", "a");
  fs::create_directories(folder / "in/closed");
  fs::permissions(folder / "in/closed", fs::perms::none);
  const FoundDocuments found = find_documents({folder / "in"});
  fs::permissions(folder / "in/closed", fs::perms::owner_all);
  EXPECT_EQ(found.files.size(), 1u);
  ASSERT_EQ(found.unreadable.size(), 1u);
  EXPECT_EQ(found.unreadable[0].path, folder / "in/closed");
}

TEST(Loader, NothingToFindIsNoErrorAndAMissingPathIs) {
  const test::TemporaryFolder folder;
  EXPECT_TRUE(find_documents({folder.path()}).files.empty());
  EXPECT_ERROR(find_documents({folder / "missing"}), Code::kNotFound, "missing");
}

}  // namespace
}  // namespace openbook::retriever
