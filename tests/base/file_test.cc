#include "openbook/base/file.h"

#include "base/full_disk.h"
#include "base/test_support.h"
#include "openbook/base/hash.h"

namespace openbook {
namespace {

TEST(File, AtomicWriteReplacesAndLeavesNothingBeside) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "a", "one");
  write_file_atomically(folder / "a", "two");
  EXPECT_EQ(read_file(folder / "a"), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(File, OnAFullDiskTheOldFileStaysAndNothingIsLeftBeside) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "a", "one");
  {
    const test::FileSizeLimit full(100);
    EXPECT_ERROR(write_file_atomically(folder / "a", std::string(1000, 'x')), Code::kResourceExhausted, (folder / "a").string());
    EXPECT_ERROR(write_file_atomically(folder / "b", std::string(1000, 'x')), Code::kResourceExhausted, (folder / "b").string());
  }
  EXPECT_EQ(read_file(folder / "a"), "one");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(File, AFolderThatIsNotThereIsNotFound) {
  EXPECT_ERROR(write_file_atomically("/proc/openbook-can-not-write-here", "x"), Code::kNotFound, "can't create");
}

TEST(File, MissingFolderAndOversizedFilesAreNamed) {
  const test::TemporaryFolder folder;
  EXPECT_ERROR(read_file(folder / "missing"), Code::kNotFound, "missing");
  EXPECT_ERROR(read_file(folder.path()), Code::kInvalidArgument, "is a folder");
  write_file_atomically(folder / "big", "12345");
  EXPECT_ERROR(read_file(folder / "big", 4), Code::kOutOfRange, "limit of 4 bytes");
}

TEST(Hash, Sha256OfKnownText) {
  // FIPS 180-2, appendix B.1.
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace openbook
