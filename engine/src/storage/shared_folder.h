// A RocksDB folder that one process writes while others open it to read.
//
// RocksDB's read-only open reads the manifest, then opens the tables and write-ahead files. A writer that flushes or compacts in
// between deletes some of them: the open fails, or finds neither the write-ahead file nor the table that took over its records,
// and misses them without a word.
//
// Here nothing is deleted while somebody opens. A reader holds a shared flock on the folder from before it reads the manifest
// until all files are open; the writer's file system takes that lock exclusively for every deletion. Whatever the manifest said
// while the lock was held named only files that were there (RocksDB writes it before it deletes), so they all still are. The
// write-ahead files are listed after the manifest was read and read in order, each to its end at that moment. So a reader sees
// all that was acknowledged before it began, and a whole number of batches. The lock is advisory, is given back by the kernel
// when its holder dies, and writes nothing: read-only media will do. It works between processes of one machine; a file system
// without locks is taken for one that nobody writes.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/options.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace openbook::storage {

// An flock on a folder, held until destruction. Waits for `patience` at most: anybody who may read a folder may lock it for ever.
class FolderLock {
 public:
  enum class Kind { kOpening, kDeleting };  // shared, exclusive

  FolderLock(const std::filesystem::path& folder, Kind kind, std::chrono::milliseconds patience);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  bool denied() const { return denied_; }  // others held it all the time

 private:
  int folder_ = -1;
  bool denied_ = false;
};

constexpr std::chrono::seconds kReaderPatience{10};  // with a writer, which holds the lock for single deletions

// What a writer opens its database with. Thread-safe; must outlive the database.
// A file that can't be deleted for `patience` is left for later: RocksDB looks for such files at open, at close, and every minute
// that it flushes.
class WriterEnv {
 public:
  explicit WriterEnv(const std::filesystem::path& folder, std::chrono::milliseconds patience = std::chrono::seconds(2));

  void set_in(rocksdb::DBOptions& options) const;
  uint64_t deletions_denied() const { return *denied_; }  // so far

 private:
  std::shared_ptr<std::atomic<uint64_t>> denied_;
  std::unique_ptr<rocksdb::Env> env_;
};

// RocksDB's own notes, into our log. Its default is a file in the folder: a reader must not write there, and a full disk aborts
// the program.
std::shared_ptr<rocksdb::Logger> notes_to_log();

}  // namespace openbook::storage
