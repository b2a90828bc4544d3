// Where a log is made: an empty folder that its owner alone can open, and by one of those who try at once.
#include <sys/stat.h>
#include <unistd.h>

#include <barrier>
#include <fstream>
#include <thread>

#include "base/test_support.h"
#include "openbook/guard/provenance_log.h"
#include "storage/shared_folder.h"

namespace openbook {
namespace {

namespace fs = std::filesystem;

class LogInitTest : public testing::Test {
 protected:
  fs::path folder() const { return root_ / "log"; }
  fs::path key(int number = 0) const { return root_ / ("key-" + std::to_string(number)); }
  unsigned mode() const {
    struct stat status {};
    EXPECT_EQ(::stat(folder().c_str(), &status), 0);
    return status.st_mode & 07777;
  }
  LogState state(int number = 0) const { return ProvenanceLog::open(folder(), key(number), LogMode::kReadOnly)->verify().state; }

  test::TemporaryFolder root_;
};

TEST_F(LogInitTest, OfManyAtOnceOneMakesTheLogAndTheOthersTakeNothingAway) {
  constexpr int kAtOnce = 6;
  for (int round = 0; round < 20; ++round) {
    const bool there_before = round % 2 == 1;
    if (there_before) fs::create_directory(folder());
    std::vector<std::string> refused(kAtOnce);
    std::barrier start(kAtOnce);
    std::vector<std::thread> threads;
    for (int i = 0; i < kAtOnce; ++i)
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        try {
          ProvenanceLog::init(folder(), key(i));
        } catch (const Error& error) {
          refused[i] = error.what();
          EXPECT_TRUE(error.code() == Code::kUnavailable || error.code() == Code::kFailedPrecondition) << error.what();
        }
      });
    for (std::thread& thread : threads) thread.join();
    const int winner = static_cast<int>(std::find(refused.begin(), refused.end(), "") - refused.begin());
    ASSERT_EQ(std::count(refused.begin(), refused.end(), ""), 1) << "round " << round;
    EXPECT_EQ(state(winner), LogState::kWhole);
    for (int i = 0; i < kAtOnce; ++i) EXPECT_EQ(fs::exists(key(i)), i == winner) << refused[i];
    ProvenanceLog::open(folder(), key(winner), LogMode::kAppend);
    fs::remove_all(folder());
    fs::remove(key(winner));
  }
}

TEST_F(LogInitTest, OneKeyForManyFoldersAtOnceIsMadeOnce) {
  constexpr int kAtOnce = 4;
  std::barrier start(kAtOnce);
  std::atomic<int> made = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kAtOnce; ++i)
    threads.emplace_back([&, i] {
      const fs::path mine = root_ / ("log-" + std::to_string(i));
      start.arrive_and_wait();
      try {
        ProvenanceLog::init(mine, key());
        ++made;
        EXPECT_TRUE(fs::exists(mine));
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("exists already"), std::string::npos) << error.what();
        EXPECT_FALSE(fs::exists(mine));
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
  EXPECT_TRUE(fs::exists(key()));
}

TEST_F(LogInitTest, AnEmptyFolderThatOthersCouldOpenIsClosedToThem) {
  for (const mode_t before : {0755, 0777, 0750, 0711, 0700}) {
    ASSERT_EQ(::mkdir(folder().c_str(), 0700), 0);
    ASSERT_EQ(::chmod(folder().c_str(), before), 0);
    ProvenanceLog::init(folder(), key());
    EXPECT_EQ(mode(), 0700u) << before;
    EXPECT_EQ(state(), LogState::kWhole);
    fs::remove_all(folder());
    fs::remove(key());
  }
}

TEST_F(LogInitTest, AFolderOfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  fs::create_directory(folder());
  ASSERT_EQ(::chown(folder().c_str(), 12345, 12345), 0);
  EXPECT_ERROR(ProvenanceLog::init(folder(), key()), Code::kFailedPrecondition, "belongs to user 12345");
  EXPECT_TRUE(fs::exists(folder()));
  EXPECT_FALSE(fs::exists(key()));
}

TEST_F(LogInitTest, WhatWasThereBeforeStaysWhenItFails) {
  fs::create_directory(folder());
  std::ofstream(key()) << "somebody's";
  EXPECT_ERROR(ProvenanceLog::init(folder(), key()), Code::kFailedPrecondition, "exists already");
  EXPECT_TRUE(fs::is_empty(folder()));
  std::ofstream(folder() / "notes.txt") << "mine";
  EXPECT_ERROR(ProvenanceLog::init(folder(), key(1)), Code::kFailedPrecondition, "not an empty folder");
  EXPECT_TRUE(fs::exists(folder() / "notes.txt"));
  fs::create_symlink(root_ / "nowhere", root_ / "dangling");
  EXPECT_ERROR(ProvenanceLog::init(root_ / "dangling", key(1)), Code::kFailedPrecondition, "not an empty folder");
  fs::create_directory(root_ / "real");
  fs::create_directory_symlink(root_ / "real", root_ / "link");
  EXPECT_ERROR(ProvenanceLog::init(root_ / "link", key()), Code::kFailedPrecondition, "exists already");
  EXPECT_TRUE(fs::is_symlink(root_ / "link"));
  EXPECT_FALSE(fs::exists(key(1)));
}

TEST_F(LogInitTest, AFolderThatSomebodyElseIsAboutToUseIsLeftToThem) {
  fs::create_directory(folder());
  const storage::FolderLock other(folder(), storage::FolderLock::Kind::kOpening, std::chrono::seconds(0));
  EXPECT_ERROR(ProvenanceLog::init(folder(), key()), Code::kUnavailable, "another process is just making or opening");
  EXPECT_TRUE(fs::is_empty(folder()));
  EXPECT_FALSE(fs::exists(key()));
}

}  // namespace
}  // namespace openbook
