// RocksDB as the corpus uses it: column families by name, every failure as openbook::Error.
#pragma once

#include <rocksdb/db.h>

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "openbook/retriever/retriever.h"
#include "storage/shared_folder.h"

namespace openbook::retriever {

enum class Family { kMeta, kTexts, kDocuments, kChunks, kVectors, kPostings };

class RocksStore {
 public:
  // Opens, or makes, the database in `folder`. To read, beside a writer or not: all that was written before is in it, and a whole
  // number of batches (storage/shared_folder.h says why).
  RocksStore(const std::filesystem::path& folder, OpenMode mode);
  ~RocksStore();
  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;

  std::optional<std::string> get(Family family, std::string_view key) const;
  void for_each(Family family, const std::function<void(std::string_view key, std::string_view value)>& visit) const;

  rocksdb::ColumnFamilyHandle* handle(Family family) const { return handles_[static_cast<size_t>(family)]; }
  // Atomic, synced. After a failure the database is as it was, and closed to changes until recover() has opened it again, which
  // is a must before the next one and takes no reader beside it. When it can't be opened for writing (the disk is still full) it
  // stays readable.
  void write(rocksdb::WriteBatch& batch);
  void recover();
  void flush();
  // Rewrites every file, so that none holds a byte of what was deleted or replaced: tables compacted, the log gone, the manifest
  // begun anew (an old one names keys). Opens the database anew. Throws unavailable when an old file could not be deleted, since
  // somebody keeps the folder locked.
  void purge();

  [[noreturn]] void fail_data_loss(const std::string& what) const;

 private:
  void open(OpenMode mode);
  rocksdb::Status open_to_read(rocksdb::DB*& opened);
  rocksdb::Status open_to_write(rocksdb::DB*& opened);
  void close();
  void require_only_live_files() const;
  rocksdb::DB& db() const;
  void check(const rocksdb::Status& status, const char* doing) const;

  std::filesystem::path folder_;
  std::optional<storage::WriterEnv> writer_env_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;  // by Family
  bool write_failed_ = false;
};

}  // namespace openbook::retriever
