#include "log/log_store.h"

#include <algorithm>

#include "log/log_format.h"
#include "openbook/base/error.h"

namespace openbook::provenance {
namespace {

namespace fs = std::filesystem;

rocksdb::DBOptions database_options() {
  rocksdb::DBOptions options;
  options.info_log = storage::notes_to_log();
  options.max_open_files = 256;
  // A record cut short by a crash in mid-write is dropped; damage anywhere before it refuses to open instead of silently
  // forgetting what follows.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families() {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = size_t{4} << 20;
  return {{rocksdb::kDefaultColumnFamilyName, options}, {"records", options}, {"payloads", options}};
}

bool holds_a_manifest(const fs::path& folder) {
  return std::any_of(fs::directory_iterator(folder), fs::directory_iterator(),
                     [](const fs::directory_entry& entry) { return entry.path().filename().string().starts_with("MANIFEST-"); });
}

void require_log_folder(const fs::path& folder) {
  const std::string where = "provenance log " + folder.string() + ": ";
  const std::string make_one = "Name the folder that `openbook log init` made, or make one with it.";
  std::error_code problem;
  const auto status = fs::status(folder, problem);
  if (!fs::exists(status)) throw Error(Code::kNotFound, where + "is not there", make_one);
  if (!fs::is_directory(status)) throw Error(Code::kNotFound, where + "is a file, expected a folder", make_one);
  if (fs::exists(folder / "CURRENT", problem)) return;
  if (holds_a_manifest(folder))
    throw Error(Code::kDataLoss, where + "its file CURRENT is missing; the folder is damaged",
                "Restore the folder from a backup.");
  throw Error(Code::kNotFound, where + "holds no log", make_one);
}

bool means_disk_full(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  return status.IsNoSpace() || text.find("No space left") != text.npos || text.find("File too large") != text.npos ||
         text.find("quota exceeded") != text.npos;
}

bool means_locked(const rocksdb::Status& status) {
  return status.IsIOError() && status.ToString().find("lock") != std::string::npos;
}

}  // namespace

void LogStore::check(const rocksdb::Status& status, const std::string& doing) const {
  if (status.ok()) return;
  const std::string message = "provenance log " + folder_.string() + ": can't " + doing + ": " + status.ToString();
  if (means_disk_full(status))
    throw Error(Code::kResourceExhausted, message, "Free some disk space and try again; the log is as it was before.");
  if (means_locked(status))
    throw Error(Code::kUnavailable, "provenance log " + folder_.string() + ": another writer has it open",
                "One process writes a log at a time: wait until it ends, or use a log of your own.");
  if (status.IsCorruption() || status.IsPathNotFound() || status.IsNotFound())
    throw Error(Code::kDataLoss, message, "The folder is damaged. Restore it from a backup, then run `openbook log verify`.");
  if (status.IsInvalidArgument()) throw Error(Code::kFailedPrecondition, message, "Is it the folder of something else?");
  throw Error(Code::kUnavailable, message);
}

std::unique_ptr<LogStore> LogStore::create(const ClaimedFolder& folder) {
  std::unique_ptr<LogStore> store(new LogStore(folder.path()));
  rocksdb::DBOptions options = database_options();  // and its files are deleted at once: the claim keeps readers out
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.error_if_exists = true;
  store->check(store->open_to_write(options), "make it");
  return store;
}

std::unique_ptr<LogStore> LogStore::open(const fs::path& folder, LogMode mode) {
  require_log_folder(folder);
  std::unique_ptr<LogStore> store(new LogStore(folder));
  if (mode == LogMode::kReadOnly) {
    store->check(store->open_to_read(), "open it");
    return store;
  }
  rocksdb::DBOptions options = database_options();
  store->writer_env_.set_in(options);
  store->check(store->open_to_write(options), "open it");
  return store;
}

rocksdb::Status LogStore::open_to_write(const rocksdb::DBOptions& options) {
  rocksdb::DB* opened = nullptr;
  const auto status = rocksdb::DB::Open(options, folder_.string(), families(), &families_, &opened);
  db_.reset(opened);
  return status;
}

rocksdb::Status LogStore::open_to_read() {
  const storage::FolderLock nothing_is_deleted(folder_, storage::FolderLock::Kind::kOpening, storage::kReaderPatience);
  if (nothing_is_deleted.denied())
    throw Error(Code::kUnavailable, "provenance log " + folder_.string() + ": another process keeps its folder locked",
                "Try again later.");
  rocksdb::DBOptions options = database_options();
  options.max_open_files = -1;  // all tables are opened now: they may be gone when the lock is
  rocksdb::DB* opened = nullptr;
  const auto status = rocksdb::DB::OpenForReadOnly(options, folder_.string(), families(), &families_, &opened);
  db_.reset(opened);
  return status;
}

LogStore::~LogStore() {
  if (!db_) return;
  for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
  db_->Close();
}

std::optional<std::string> LogStore::get(rocksdb::ColumnFamilyHandle* family, const std::string& key,
                                         const rocksdb::Snapshot* snapshot) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  std::string value;
  const auto status = db_->Get(options, family, key, &value);
  if (status.IsNotFound()) return std::nullopt;
  check(status, "read it");
  return value;
}

std::unique_ptr<rocksdb::Iterator> LogStore::iterate(rocksdb::ColumnFamilyHandle* family,
                                                     const rocksdb::Snapshot* snapshot) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options, family));
}

void LogStore::purge_payloads(uint64_t first, uint64_t last) {
  // The write-ahead files go once all that they hold is flushed; the tables once they are compacted; both files are then deleted,
  // not just listed as obsolete.
  check(db_->Flush(rocksdb::FlushOptions(), families_), "flush it");
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  const std::string begin = sequence_key(first), end = sequence_key(last);
  const rocksdb::Slice begin_slice(begin), end_slice(end);
  check(db_->CompactRange(options, payloads(), &begin_slice, &end_slice), "compact it");
  // Other threads may be about to delete some of them: listing the write-ahead files waits for those. Then all that is not in use
  // is tried.
  check(db_->DisableFileDeletions(), "drop old files");
  rocksdb::VectorLogPtr listed;
  check(db_->GetSortedWalFiles(listed), "drop old files");
  const uint64_t denied = writer_env_.deletions_denied();
  check(db_->EnableFileDeletions(true), "drop old files");
  if (writer_env_.deletions_denied() != denied)
    throw Error(
        Code::kUnavailable,
        "provenance log " + folder_.string() + ": what was erased is still in old files: another process is opening the log",
        "Erase it again to have them deleted.");
}

}  // namespace openbook::provenance
