// A log in a temporary folder, and the RocksDB under it opened raw, as somebody would who wants to change it.
#pragma once

#include <rocksdb/db.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/test_support.h"
#include "openbook/guard/provenance_log.h"

namespace openbook {

// The three column families of a log that nobody else has open.
class RawLog {
 public:
  explicit RawLog(const std::filesystem::path& folder) {
    rocksdb::DB* raw = nullptr;
    const auto status =
        rocksdb::DB::Open({}, folder.string(), {{"default", {}}, {"records", {}}, {"payloads", {}}}, &families_, &raw);
    if (!status.ok()) throw std::runtime_error(status.ToString());
    db_.reset(raw);
  }
  ~RawLog() {
    for (auto* family : families_) db_->DestroyColumnFamilyHandle(family);
  }

  enum Family { kHead = 0, kRecords = 1, kPayloads = 2 };
  static std::string key(uint64_t sequence) {
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(sequence >> shift & 0xFF);
    return bytes;
  }
  std::string get(Family family, const std::string& key) const {
    std::string value;
    const auto status = db_->Get({}, families_[family], key, &value);
    if (!status.ok()) throw std::runtime_error(status.ToString());
    return value;
  }
  void put(Family family, const std::string& key, const std::string& value) {
    require(db_->Put({}, families_[family], key, value));
  }
  void remove(Family family, const std::string& key) { require(db_->Delete({}, families_[family], key)); }
  void flush() { require(db_->Flush({}, families_)); }

 private:
  static void require(const rocksdb::Status& status) {
    if (!status.ok()) throw std::runtime_error(status.ToString());
  }
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::unique_ptr<rocksdb::DB> db_;
};

class LogTest : public testing::Test {
 protected:
  void SetUp() override { ProvenanceLog::init(log_folder(), key_file()); }

  std::filesystem::path log_folder() const { return folder_ / "log"; }
  std::filesystem::path key_file() const { return folder_ / "log.key"; }
  std::unique_ptr<ProvenanceLog> open(LogMode mode) const { return ProvenanceLog::open(log_folder(), key_file(), mode); }

  // One answer: begin, a sentence, end. Its receipts.
  std::vector<LogReceipt> write_answer(const std::string& text) const {
    const auto log = open(LogMode::kAppend);
    const std::string id = ProvenanceLog::new_answer_id();
    return {log->append(LogKind::kBegin, id, "question of " + text), log->append(LogKind::kSentence, id, text),
            log->append(LogKind::kEnd, id, "")};
  }

  LogReport verify(const std::vector<LogReceipt>& expect = {}) const { return open(LogMode::kReadOnly)->verify(expect); }
  // With other keys than the first.
  LogReport verify_with(const std::filesystem::path& newest, const std::vector<std::filesystem::path>& old = {},
                        const std::vector<LogReceipt>& expect = {}) const {
    return ProvenanceLog::open(log_folder(), newest, LogMode::kReadOnly, old)->verify(expect);
  }

  void expect_broken(const std::string& piece, const std::vector<LogReceipt>& expect = {}) const {
    const LogReport report = verify(expect);
    EXPECT_EQ(report.state, LogState::kBroken) << report.finding;
    EXPECT_NE(report.finding.find(piece), std::string::npos) << report.finding;
  }

  test::TemporaryFolder folder_;
};

}  // namespace openbook
