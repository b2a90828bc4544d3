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
      {"binary", std::string("PKWX\0\0", 6), Code::kInvalidArgument, "NUL at byte 4"},
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

std::vector<fs::path> paths(const FoundDocuments& found) {
  std::vector<fs::path> paths;
  for (const FoundFile& file : found.files) paths.push_back(file.path);
  return paths;
}

TEST(Loader, FoldersAreWalkedInOrderWithoutHiddenFilesOrWaysOut) {
  const test::TemporaryFolder folder;
  write(folder / "outside.txt", "secret");
  write(folder / "in/b.md", "b");
  write(folder / "in/a/z.txt", "z");
  write(folder / "in/.hidden", "h");
  write(folder / "in/.git/config", "c");
  write(folder / "in/.data/c.md", "c");
  fs::create_symlink("../outside.txt", folder / "in/way-out.txt");
  fs::create_symlink("b.md", folder / "in/inside.md");  // b.md, which is there already
  fs::create_symlink(".data/c.md", folder / "in/c.md");
  fs::create_directory_symlink(".", folder / "in/loop");
  fs::create_directory_symlink("..", folder / "in/up");
  fs::create_symlink("nowhere", folder / "in/dangling");
  ASSERT_EQ(mkfifo((folder / "in/pipe").c_str(), 0600), 0);
  const FoundDocuments found = find_documents({folder / "in", folder / "outside.txt", folder / "in/b.md"});
  EXPECT_EQ(paths(found),
            (std::vector<fs::path>{folder / "in/c.md", folder / "in/a/z.txt", folder / "in/b.md", folder / "outside.txt"}));
  EXPECT_EQ(found.files[0].file, fs::canonical(folder / "in/.data/c.md"));
  EXPECT_TRUE(found.unreadable.empty());
}

// What is put in the place of a file between the listing and the reading.
TEST(Loader, WhatTookTheFilesPlaceIsNotFollowed) {
  const struct {
    const char* what;
    void (*put)(const test::TemporaryFolder&);
    Code code;
    const char* piece;
  } rows[] = {
      {"a link out",
       [](const test::TemporaryFolder& f) {
         fs::remove(f / "in/sub/a.md");
         fs::create_symlink("../../outside.txt", f / "in/sub/a.md");
       },
       Code::kInvalidArgument, "is a link now"},
      {"a link in its folder's place",
       [](const test::TemporaryFolder& f) {
         fs::rename(f / "in/sub", f / "in/was");
         fs::create_directory_symlink("../elsewhere", f / "in/sub");
       },
       Code::kInvalidArgument, "is a link now"},
      {"a folder in the named folder's place",
       [](const test::TemporaryFolder& f) {
         fs::rename(f / "in", f / "was");
         write(f / "in/sub/a.md", "TOP SECRET");
       },
       Code::kUnavailable, "has taken the place"},
      {"a link in the named folder's place",
       [](const test::TemporaryFolder& f) {
         fs::rename(f / "in", f / "was");
         write(f / "other/sub/a.md", "TOP SECRET");
         fs::create_directory_symlink("other", f / "in");
       },
       Code::kInvalidArgument, "is a link now"},
      {"a pipe",
       [](const test::TemporaryFolder& f) {
         fs::remove(f / "in/sub/a.md");
         ASSERT_EQ(mkfifo((f / "in/sub/a.md").c_str(), 0600), 0);
       },
       Code::kInvalidArgument, "not a file"},
      {"a folder",
       [](const test::TemporaryFolder& f) {
         fs::remove(f / "in/sub/a.md");
         fs::create_directory(f / "in/sub/a.md");
       },
       Code::kInvalidArgument, "not a file"},
      {"nothing", [](const test::TemporaryFolder& f) { fs::remove(f / "in/sub/a.md"); }, Code::kNotFound, "No such file"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const test::TemporaryFolder folder;
    write(folder / "outside.txt", "TOP SECRET");
    write(folder / "elsewhere/a.md", "TOP SECRET");
    write(folder / "in/sub/a.md", "harmless");
    const FoundDocuments found = find_documents({folder / "in"});
    ASSERT_EQ(found.files.size(), 1u);
    EXPECT_EQ(load_document(found.files[0]).text, "harmless");
    row.put(folder);
    EXPECT_ERROR(load_document(found.files[0]), row.code, row.piece);
  }
}

TEST(Loader, OtherFormatsAreNamedByTheirContentAndNotReadAsText) {
  using namespace std::literals;
  const struct {
    std::string name, bytes, piece;
  } foreign[] = {
      {"a.txt", "%PDF-1.7\nobj", "PDF"},
      {"b.md", "{\\rtf1 Hello}", "RTF"},
      {"c.doc", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 x", "old Office"},
      {"d", "PK\x03\x04 rest", "DOCX"},
      {"e.txt", "\x1F\x8B\x08 rest", "gzip"},
      {"f",
       "\x7F"
       "ELF\x02",
       "ELF"},
      {"g.txt", " \r\n<!-- saved --> <!DOCTYPE HTML>\n<p>x", "HTML"},
      {"h.md", "\xEF\xBB\xBF<html lang=\"en\"><p>x</p>", "HTML"},
      {"i.md", "<?xml version=\"1.0\"?>\n<html xmlns=\"x\"/>", "HTML"},
      {"j.txt", "<div class=\"a\">The barn.</div>", "HTML"},
      {"k.txt", "<svg viewBox=\"0 0 1 1\"/>", "SVG"},
      {"l.txt", "<?xml version=\"1.0\"?><feed/>", "XML"},
      {"m.txt", std::string("RIFF\x10\0\0\0WEBP", 12), "RIFF"},
      {"n.txt", std::string("a\0b\0c\0d\0", 8), "UTF-16, not UTF-8 (little-endian"},
      {"o.txt", std::string("\0a\0b\0c\0d", 8), "UTF-16, not UTF-8 (big-endian"},
      {"p.txt", "-----BEGIN RSA PRIVATE KEY-----\nx", "a private key"},
      {"q.txt", "\n-----BEGIN PGP PRIVATE KEY BLOCK-----\nx", "a private key"},
  };
  const test::TemporaryFolder folder;
  for (const auto& row : foreign) {
    write(folder / row.name, row.bytes);
    EXPECT_ERROR(load_document(folder / row.name), Code::kInvalidArgument, row.name + ": ");
    EXPECT_ERROR(load_document(folder / row.name), Code::kInvalidArgument, row.piece);
  }
  const std::pair<std::string, std::string> text[] = {
      {"a.cc", "#include <vector>\n"},
      {"b.csv", "id,name\n1,\"x\"\n"},
      {"c", "RIFF is a format, and BZh begins another."},
      {"d.md", "<p align=\"center\">\n<b>Tern</b>\n</p>\n\n# Tern\n"},  // HTML is allowed in Markdown
      {"e.txt", "<name> wrote this"},
      {"f.vue", "<template>\n<p>x</p>\n</template>"},
      {"g.txt", "<p is the smaller of the two"},
      {"h.txt", "-----BEGIN CERTIFICATE-----\nx"},
      {"i.json", "{\"a\": 1}"},
  };
  for (const auto& [name, bytes] : text) {
    write(folder / name, bytes);
    EXPECT_NO_THROW(EXPECT_EQ(load_document(folder / name).text, bytes)) << name;
  }
}

TEST(Loader, WhatCanNotBeReadSaysWhatToDo) {
  const test::TemporaryFolder folder;
  const std::pair<std::string, std::string> rows[] = {
      {"\xFF\xFEx", "iconv -f UTF-16"}, {"caf\xE9", "iconv -f ISO-8859-1"}, {"%PDF-", "pdftotext"}};
  for (const auto& [bytes, piece] : rows) {
    write(folder / "a.txt", bytes);
    try {
      load_document(folder / "a.txt");
      ADD_FAILURE() << piece;
    } catch (const Error& error) {
      EXPECT_NE(error.hint().find(piece), std::string::npos) << error.hint();
    }
  }
}

// A file in folders inside each other until its path is longer than the system takes.
fs::path deep_file(const fs::path& in) {
  const fs::path before = fs::current_path();
  const std::string name(250, 'd');
  fs::path deepest = in;
  fs::current_path(in);
  while (deepest.native().size() < PATH_MAX) {
    fs::create_directory(name);
    fs::current_path(name);
    deepest /= name;
  }
  std::ofstream("deep.md") << "deep";
  fs::current_path(before);
  return deepest / "deep.md";
}

TEST(Loader, WhatCanNotBeReadHidesNothingElse) {
  const test::TemporaryFolder folder;
  write(folder / "in/a.md", "a");
  write(folder / "in/z/z.md", "z");
  fs::create_symlink("loop", folder / "in/loop");
  const fs::path deep = deep_file(folder / "in");
  const FoundDocuments found = find_documents({folder / "in"});
  EXPECT_EQ(paths(found), (std::vector<fs::path>{folder / "in/a.md", deep, folder / "in/z/z.md"}));
  EXPECT_EQ(load_document(found.files[1]).text, "deep");
  ASSERT_EQ(found.unreadable.size(), 1u);
  EXPECT_EQ(found.unreadable[0].path, folder / "in/loop");
  EXPECT_EQ(found.unreadable[0].why, "can't be read: Too many levels of symbolic links");
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
