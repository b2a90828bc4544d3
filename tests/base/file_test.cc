#include "openbook/base/file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

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

// Reading any of them could wait for ever, or never end.
TEST(File, WhatIsNoFileIsRefusedAtOnce) {
  const test::TemporaryFolder folder;
  const std::string pipe = (folder / "pipe").string(), socket = (folder / "socket").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Descriptor listening(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  ASSERT_LT(socket.size(), sizeof address.sun_path);
  socket.copy(address.sun_path, socket.size());
  ASSERT_EQ(::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  std::filesystem::create_symlink(pipe, folder / "link");
  const std::pair<std::string, std::string> rows[] = {{pipe, "pipe: is a pipe, not a file"},
                                                      {(folder / "link").string(), "link: is a pipe"},
                                                      {socket, "socket: is a socket or a device"},
                                                      {"/dev/zero", "/dev/zero: is a device"},
                                                      {"/dev/tty", "/dev/tty: is a"},
                                                      {folder.path().string(), "is a folder"}};
  for (const auto& [path, message] : rows) {
    EXPECT_ERROR(read_file(path), Code::kInvalidArgument, message);
    EXPECT_TRUE(is_there(path));
  }
}

TEST(File, OnlyWhatHasNoNameIsNotThere) {
  const test::TemporaryFolder folder;
  EXPECT_FALSE(is_there(folder / "missing"));
  EXPECT_FALSE(is_there(folder / "missing" / "below"));
  std::filesystem::create_symlink(folder / "loop", folder / "loop");
  EXPECT_TRUE(is_there(folder / "loop"));  // opening it says what is wrong
  EXPECT_ERROR(read_file(folder / "loop"), Code::kUnavailable, "loop: can't open");
  EXPECT_ERROR(read_file(folder / std::string(300, 'n')), Code::kUnavailable, "can't open");
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
