#include "rocks_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/table.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "openbook/base/error.h"
#include "openbook/base/log.h"

namespace openbook::retriever {
namespace {

namespace fs = std::filesystem;

constexpr std::array kFamilies = {"default", "texts", "documents", "chunks", "vectors", "postings"};
constexpr char kRestoreHint[] = "Restore the index folder from a copy, or ingest the documents into a new one.";

rocksdb::Options common_options() {
  rocksdb::Options options;
  options.info_log = storage::notes_to_log();
  options.paranoid_checks = true;
  // A kill may cut the last record short, which nobody was told of. Damage before that would lose documents whose ingest
  // returned: it must be an error, where the default would drop them without a word.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(64 << 20);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families(const rocksdb::Options& options) {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const char* name : kFamilies) families.emplace_back(name, options);
  return families;
}

bool says(const rocksdb::Status& status, std::string_view words) { return status.ToString().find(words) != std::string::npos; }

Code code_of(const rocksdb::Status& status) {
  if (status.IsNoSpace() || says(status, "No space left") || says(status, "File too large") || says(status, "quota exceeded"))
    return Code::kResourceExhausted;
  if (says(status, "Permission denied") || says(status, "Read-only file system")) return Code::kFailedPrecondition;
  if (status.IsIOError() && says(status, "/LOCK")) return Code::kUnavailable;
  if (status.IsCorruption() || status.IsNotFound() || says(status, "No such file")) return Code::kDataLoss;
  if (status.IsIOError() || status.IsBusy()) return Code::kUnavailable;
  return Code::kInternal;
}

const char* hint_for(Code code) {
  switch (code) {
    case Code::kResourceExhausted:
      return "Free some disk space and run it again; the index is as it was.";
    case Code::kUnavailable:
      return "Wait until the other process has finished; searching works beside it.";
    case Code::kFailedPrecondition:
      return "Check who owns the folder and its mode.";
    case Code::kDataLoss:
      return kRestoreHint;
    default:
      return "";
  }
}

void require_writable(const fs::path& folder) {
  if (::euidaccess(folder.c_str(), W_OK | X_OK) == 0) return;
  throw Error(
      Code::kFailedPrecondition, "index " + folder.string() + ": the folder can't be written: " + std::strerror(errno),
      "It can be searched as it is. To change it, see who owns the folder and its mode, or copy it to where you may write.");
}

// Without CURRENT, RocksDB takes the folder for a new one and would start an empty index over the remains. Tables and logs
// are made after CURRENT, so a kill while an index is being made doesn't look like this.
void require_not_beheaded(const fs::path& folder) {
  std::error_code failed;
  if (fs::exists(folder / "CURRENT", failed)) return;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    const fs::path extension = entry.path().extension();
    const bool stored = extension == ".sst" || extension == ".log";
    if (stored && !fs::exists(folder / "CURRENT", failed))  // a writer may have made it since
      throw Error(Code::kDataLoss, "index " + folder.string() + ": CURRENT is missing beside stored documents", kRestoreHint);
  }
}

}  // namespace

RocksStore::RocksStore(const fs::path& folder, OpenMode mode) : folder_(folder) {
  require_not_beheaded(folder);
  open(mode);
}

void RocksStore::open(OpenMode mode) {
  rocksdb::DB* opened = nullptr;
  check(mode == OpenMode::kReadOnly ? open_to_read(opened) : open_to_write(opened), "can't open");
  db_.reset(opened);
}

rocksdb::Status RocksStore::open_to_read(rocksdb::DB*& opened) {
  const storage::FolderLock nothing_is_deleted(folder_, storage::FolderLock::Kind::kOpening, storage::kReaderPatience);
  if (nothing_is_deleted.denied())
    throw Error(Code::kUnavailable, "index " + folder_.string() + ": another process keeps its folder locked",
                "Try again later.");
  auto read_options = common_options();
  read_options.max_open_files = -1;  // all tables are opened now: they may be gone when the lock is
  const auto status = rocksdb::DB::OpenForReadOnly(read_options, folder_.string(), families(read_options), &handles_, &opened);
  std::error_code failed;
  const bool begun = fs::exists(folder_ / "CURRENT", failed) || failed;
  if (!begun || says(status, "Column family not found"))
    throw Error(Code::kNotFound, "index " + folder_.string() + ": it is not made yet", "Ingest some documents first.");
  return status;
}

rocksdb::Status RocksStore::open_to_write(rocksdb::DB*& opened) {
  require_writable(folder_.parent_path());  // of the vectors
  require_writable(folder_);
  auto write_options = common_options();
  write_options.create_if_missing = write_options.create_missing_column_families = true;
  writer_env_.emplace(folder_).set_in(write_options);
  return rocksdb::DB::Open(write_options, folder_.string(), families(write_options), &handles_, &opened);
}

RocksStore::~RocksStore() { close(); }

void RocksStore::close() {
  if (!db_) return;
  for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  handles_.clear();
  const auto status = db_->Close();
  if (!status.ok() && !write_failed_) log_warning("index " + folder_.string() + ": can't close: " + status.ToString());
  db_.reset();
}

rocksdb::DB& RocksStore::db() const {
  if (!db_) throw Error(Code::kUnavailable, "index " + folder_.string() + ": closed after a failed write", "Open it again.");
  return *db_;
}

std::optional<std::string> RocksStore::get(Family family, std::string_view key) const {
  std::string value;
  const auto status = db().Get({}, handle(family), rocksdb::Slice(key.data(), key.size()), &value);
  if (status.IsNotFound()) return std::nullopt;
  check(status, "can't read");
  return value;
}

void RocksStore::for_each(Family family, const std::function<void(std::string_view, std::string_view)>& visit) const {
  const std::unique_ptr<rocksdb::Iterator> at(db().NewIterator({}, handle(family)));
  for (at->SeekToFirst(); at->Valid(); at->Next()) visit(at->key().ToStringView(), at->value().ToStringView());
  check(at->status(), "can't read");
}

void RocksStore::write(rocksdb::WriteBatch& batch) {
  rocksdb::WriteOptions synced;
  synced.sync = true;
  write_failed_ = true;
  check(db().Write(synced, &batch), "can't write");
  write_failed_ = false;
}

void RocksStore::recover() {
  if (!write_failed_) return;
  close();
  try {
    open(OpenMode::kReadWrite);
    write_failed_ = false;
  } catch (const Error&) {
    open(OpenMode::kReadOnly);
    throw;
  }
}

void RocksStore::flush() { check(db().Flush({}, handles_), "can't flush"); }

void RocksStore::purge() {
  flush();
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  for (auto* family : handles_) check(db().CompactRange(options, family, nullptr, nullptr), "can't compact");
  close();
  open(OpenMode::kReadWrite);
  require_only_live_files();
}

void RocksStore::require_only_live_files() const {
  std::vector<std::string> live;
  uint64_t manifest_bytes = 0;
  check(db().GetLiveFiles(live, &manifest_bytes, /*flush_memtable=*/false), "can't list its files");
  rocksdb::VectorLogPtr logs;
  check(db().GetSortedWalFiles(logs), "can't list its log");
  std::set<std::string> names;
  for (const std::string& path : live) names.insert(fs::path(path).filename());
  for (const auto& log : logs) names.insert(fs::path(log->PathName()).filename());
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    const bool stores = name.ends_with(".sst") || name.ends_with(".log") || name.starts_with("MANIFEST");
    std::error_code gone;
    if (stores && !names.contains(name) && fs::file_size(entry.path(), gone) > 0 && !gone)
      throw Error(
          Code::kUnavailable,
          "index " + folder_.string() + ": another process keeps its folder locked, and the old file " + name + " is still there",
          "Run it again when nobody opens the index.");
  }
}

void RocksStore::fail_data_loss(const std::string& what) const {
  throw Error(Code::kDataLoss, "index " + folder_.string() + ": " + what, kRestoreHint);
}

void RocksStore::check(const rocksdb::Status& status, const char* doing) const {
  if (status.ok()) return;
  const Code code = code_of(status);
  const std::string why =
      code == Code::kUnavailable && says(status, "/LOCK") ? "another process is writing to it" : status.ToString();
  throw Error(code, "index " + folder_.string() + ": " + doing + ": " + why, hint_for(code));
}

}  // namespace openbook::retriever
