// Who may open and who may delete in a folder at the same time, and what a database does about it.
#include "storage/shared_folder.h"

#include <rocksdb/db.h>

#include <optional>
#include <set>
#include <thread>

#include "base/test_support.h"

namespace openbook::storage {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Kind = FolderLock::Kind;

constexpr milliseconds kNoPatience{0};
constexpr milliseconds kLong{20'000};

TEST(FolderLock, ManyMayOpenAndNobodyDeletesMeanwhile) {
  const test::TemporaryFolder folder;
  auto first = std::make_unique<FolderLock>(folder.path(), Kind::kOpening, kNoPatience);
  auto second = std::make_unique<FolderLock>(folder.path(), Kind::kOpening, kNoPatience);
  EXPECT_FALSE(first->denied());
  EXPECT_FALSE(second->denied());
  EXPECT_TRUE(FolderLock(folder.path(), Kind::kDeleting, milliseconds(5)).denied());
  first.reset();
  EXPECT_TRUE(FolderLock(folder.path(), Kind::kDeleting, kNoPatience).denied());
  second.reset();
  const FolderLock deleting(folder.path(), Kind::kDeleting, kNoPatience);
  EXPECT_FALSE(deleting.denied());
  EXPECT_TRUE(FolderLock(folder.path(), Kind::kOpening, kNoPatience).denied());
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(FolderLock, WaitsUntilTheOtherIsDone) {
  const test::TemporaryFolder folder;
  std::optional<FolderLock> opening;
  opening.emplace(folder.path(), Kind::kOpening, kNoPatience);
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(50));
    opening.reset();
  });
  EXPECT_FALSE(FolderLock(folder.path(), Kind::kDeleting, kLong).denied());
  other.join();
}

TEST(FolderLock, AFolderThatIsNotThereIsNobodys) {
  EXPECT_FALSE(FolderLock("/none/such", Kind::kDeleting, kNoPatience).denied());
}

class Database {
 public:
  explicit Database(const fs::path& folder) : env_(folder, milliseconds(10)) {
    rocksdb::Options options;
    options.create_if_missing = true;
    env_.set_in(options);
    options.info_log = notes_to_log();
    rocksdb::DB* opened = nullptr;
    const auto status = rocksdb::DB::Open(options, folder.string(), &opened);
    if (!status.ok()) throw std::runtime_error(status.ToString());
    db_.reset(opened);
  }
  void write(const std::string& key) {
    rocksdb::WriteOptions synced;
    synced.sync = true;
    const auto status = db_->Put(synced, key, key);
    if (!status.ok()) throw std::runtime_error(status.ToString());
  }
  void flush() {
    const auto status = db_->Flush({});
    if (!status.ok()) throw std::runtime_error(status.ToString());
  }
  const WriterEnv& env() const { return env_; }

 private:
  WriterEnv env_;
  std::unique_ptr<rocksdb::DB> db_;
};

std::set<std::string> files(const fs::path& folder, const std::string& extension) {
  std::set<std::string> found;
  for (const auto& file : fs::directory_iterator(folder))
    if (file.path().extension() == extension) found.insert(file.path().filename());
  return found;
}

// Somebody who stops in the middle of opening may cost space, not the writer's progress.
TEST(WriterEnv, WhatCantBeDeletedIsLeftAndTheWriterGoesOn) {
  const test::TemporaryFolder folder;
  std::set<std::string> logs;
  {
    const auto database = std::make_unique<Database>(folder / "db");
    const FolderLock opening(folder / "db", Kind::kOpening, kNoPatience);
    logs = files(folder / "db", ".log");
    for (int i = 0; i < 20; ++i) {
      database->write("key " + std::to_string(i));
      database->flush();
    }
    for (int tries = 0; tries < 2000 && database->env().deletions_denied() == 0; ++tries)
      std::this_thread::sleep_for(milliseconds(5));
    EXPECT_GT(database->env().deletions_denied(), 0u);
    const auto now = files(folder / "db", ".log");
    for (const std::string& log : logs) EXPECT_TRUE(now.contains(log)) << log << " is gone";
  }
  const Database again(folder / "db");
  const auto now = files(folder / "db", ".log");
  for (const std::string& log : logs) EXPECT_FALSE(now.contains(log)) << log << " is still there";
  EXPECT_EQ(again.env().deletions_denied(), 0u);
}

}  // namespace
}  // namespace openbook::storage
