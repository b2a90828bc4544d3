// The RocksDB folder of a provenance log: three column families, opened strictly, with RocksDB's statuses translated into Error.
//
// Thread-safe as RocksDB is. One writer a folder (RocksDB's lock file); a reader sees the state of when it opened, with all that
// was acknowledged before (storage/shared_folder.h says why).
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/snapshot.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/log_folder.h"
#include "openbook/guard/provenance_log.h"
#include "storage/shared_folder.h"

namespace openbook::provenance {

constexpr char kHeadKey[] = "head";  // in the default column family

class LogStore {
 public:
  // An empty store. Throws resource_exhausted, unavailable.
  static std::unique_ptr<LogStore> create(const ClaimedFolder& folder);

  // Throws not_found, unavailable (another writer), data_loss, failed_precondition (a RocksDB of something else).
  static std::unique_ptr<LogStore> open(const std::filesystem::path& folder, LogMode mode);
  ~LogStore();

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* head() const { return families_[0]; }
  rocksdb::ColumnFamilyHandle* records() const { return families_[1]; }
  rocksdb::ColumnFamilyHandle* payloads() const { return families_[2]; }
  const std::filesystem::path& folder() const { return folder_; }

  std::optional<std::string> get(rocksdb::ColumnFamilyHandle* family, const std::string& key,
                                 const rocksdb::Snapshot* snapshot = nullptr) const;
  std::unique_ptr<rocksdb::Iterator> iterate(rocksdb::ColumnFamilyHandle* family,
                                             const rocksdb::Snapshot* snapshot = nullptr) const;

  // Makes old versions of the payloads [first, last] vanish from the files: RocksDB keeps overwritten bytes until it compacts.
  // Throws unavailable when somebody who opens the log all the time holds up the deletion; to be tried again.
  void purge_payloads(uint64_t first, uint64_t last);

  // Throws unless `status` is ok: resource_exhausted, unavailable, data_loss, not_found.
  void check(const rocksdb::Status& status, const std::string& doing) const;

 private:
  explicit LogStore(const std::filesystem::path& folder) : folder_(folder), writer_env_(folder) {}
  rocksdb::Status open_to_write(const rocksdb::DBOptions& options);
  rocksdb::Status open_to_read();

  std::filesystem::path folder_;
  storage::WriterEnv writer_env_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

}  // namespace openbook::provenance
