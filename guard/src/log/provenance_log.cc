#include "openbook/guard/provenance_log.h"

#include <charconv>
#include <chrono>
#include <limits>
#include <mutex>
#include <shared_mutex>

#include "log/log_format.h"
#include "log/log_key.h"
#include "log/log_store.h"
#include "log/log_verifier.h"
#include "openbook/base/error.h"

namespace openbook {
namespace {

using namespace provenance;

int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

Head sealed(Head head, const LogKey& key) {
  head.key_id = key.id();
  head.mac = key.mac_head(head_body(head));
  return head;
}

class RocksLog : public ProvenanceLog {
 public:
  RocksLog(std::unique_ptr<LogStore> store, std::optional<LogKey> key, std::string no_key_reason, LogMode mode)
      : folder_(store->folder()),
        store_(std::move(store)),
        key_(std::move(key)),
        no_key_reason_(std::move(no_key_reason)),
        mode_(mode) {
    if (mode_ == LogMode::kAppend) head_ = read_tail();
  }

  LogReceipt append(LogKind kind, const std::string& answer_id, std::string_view payload) override {
    if (kind == LogKind::kErase) throw Error(Code::kInvalidArgument, "a kErase record is made by erase() alone");
    require_answer_id(answer_id);
    const std::lock_guard lock(writing_);
    require_writable();
    rocksdb::WriteBatch batch;
    Head head = head_;
    const LogReceipt receipt = add(batch, head, kind, answer_id, payload);
    commit(batch, head);
    return receipt;
  }

  std::vector<LogEntry> entries(uint64_t first, uint64_t limit) const override {
    const std::shared_lock reading(reopening_);
    return read(std::max<uint64_t>(first, 1), limit ? limit : std::numeric_limits<uint64_t>::max(), nullptr);
  }

  std::vector<LogEntry> of_answer(const std::string& answer_id) const override {
    require_answer_id(answer_id);
    const std::shared_lock reading(reopening_);
    auto found = read(1, std::numeric_limits<uint64_t>::max(), &answer_id);
    if (found.empty())
      throw Error(Code::kNotFound, "provenance log " + folder_.string() + ": no answer " + answer_id,
                  "`openbook log list` shows the ids.");
    return found;
  }

  std::string unchecked_because() const override { return key_ ? "" : no_key_reason_; }

  void erase(const std::string& answer_id, std::string_view reason) override {
    const std::lock_guard lock(writing_);
    require_writable();
    // Reading checks every payload first: a changed one must not vanish behind a tombstone.
    uint64_t first = 0, last = 0;
    Erasure erasure{{}, std::string(reason)};
    for (const LogEntry& entry : of_answer(answer_id)) {
      if (entry.kind == LogKind::kErase) continue;
      last = entry.receipt.sequence;
      if (!first) first = last;
      if (entry.payload) erasure.sequences.push_back(last);
    }
    if (!erasure.sequences.empty()) {
      rocksdb::WriteBatch batch;
      Head head = head_;
      const StoredPayload tombstone{{}, {}, head.count + 1};
      for (const uint64_t sequence : erasure.sequences)
        store().check(batch.Put(store().payloads(), sequence_key(sequence), encode_payload(tombstone)), "erase");
      add(batch, head, LogKind::kErase, answer_id, encode_erasure(erasure));
      commit(batch, head);
    }
    write_failed_ = true;
    store().purge_payloads(first, last);  // also for an erased answer: a crash may have come between
    write_failed_ = false;
  }

  LogReport verify(const std::vector<LogReceipt>& expect) const override {
    const std::shared_lock reading(reopening_);
    return verify_log(store(), key_ ? &*key_ : nullptr, no_key_reason_, expect);
  }

 private:
  static void require_answer_id(const std::string& answer_id) {
    if (!is_answer_id(answer_id))
      throw Error(Code::kInvalidArgument, "answer id \"" + answer_id + "\": expected 32 lower-case hex digits",
                  "`openbook log list` shows the ids.");
  }

  // The head and the record it names, both checked. Throws data_loss: nothing may be appended to a broken chain.
  Head read_tail() const {
    const std::string where = "provenance log " + folder_.string() + ": ";
    const std::string hint =
        "Nothing can be appended. `openbook log verify` says more; restore the log from a backup, or begin a new one.";
    const auto bytes = store().get(store().head(), kHeadKey);
    if (!bytes) throw Error(Code::kDataLoss, where + "the head is missing", hint);
    const Head head = decode_head(*bytes);
    if (head.key_id != key_->id())
      throw Error(Code::kFailedPrecondition, where + "names key " + head.key_id + ", the key file holds " + key_->id(),
                  "Name the key made with this log.");
    if (!same(head.mac, key_->mac_head(head_body(head))))
      throw Error(Code::kDataLoss, where + "the head was changed: its MAC does not match", hint);
    const auto records = store().iterate(store().records());
    records->SeekToLast();
    store().check(records->status(), "read its last record");
    const uint64_t last = records->Valid() ? parse_sequence_key({records->key().data(), records->key().size()}).value_or(0) : 0;
    if (last != head.count)
      throw Error(
          Code::kDataLoss,
          where + "the head counts " + std::to_string(head.count) + " records, the last one there is " + std::to_string(last),
          hint);
    if (last == 0) return head;
    const Record record =
        decode_record({records->value().data(), records->value().size()}, where + "record " + std::to_string(last));
    if (!same(record.mac, head.last) || !same(record.mac, key_->mac_record(record_body(record))))
      throw Error(Code::kDataLoss, where + "record " + std::to_string(last) + ": its MAC does not match: it was changed", hint);
    return head;
  }

  LogStore& store() const {
    if (!store_)
      throw Error(Code::kUnavailable, "provenance log " + folder_.string() + ": closed after a failed write",
                  "Free some disk space and open it again.");
    return *store_;
  }

  void require_writable() {
    if (mode_ != LogMode::kAppend)
      throw Error(Code::kFailedPrecondition, "provenance log " + folder_.string() + ": opened for reading only");
    if (write_failed_) reopen();
  }

  // After a failed write RocksDB writes no more, and can't be resumed even when there is room again: it must be opened anew.
  // Until that works the log can be read.
  void reopen() {
    const std::unique_lock nobody_reads(reopening_);
    store_.reset();
    try {
      store_ = LogStore::open(folder_, LogMode::kAppend);
    } catch (const Error&) {
      store_ = LogStore::open(folder_, LogMode::kReadOnly);
      throw;
    }
    head_ = read_tail();
    write_failed_ = false;
  }

  LogReceipt add(rocksdb::WriteBatch& batch, Head& head, LogKind kind, const std::string& answer_id,
                 std::string_view payload) const {
    if (payload.size() > kMaxPayloadBytes)
      throw Error(Code::kOutOfRange,
                  "log payload of " + std::to_string(payload.size()) + " bytes, at most " + std::to_string(kMaxPayloadBytes));
    StoredPayload stored{{}, std::string(payload), std::nullopt};
    fill_random(stored.salt);
    Record record{kind, key_->id(), head.count + 1, now_ms(), answer_id, payload_hash(stored.salt, payload), head.last, {}};
    record.mac = key_->mac_record(record_body(record));
    const std::string key = sequence_key(record.sequence);
    store().check(batch.Put(store().records(), key, encode_record(record)), "append");
    store().check(batch.Put(store().payloads(), key, encode_payload(stored)), "append");
    head.count = record.sequence;
    head.last = record.mac;
    return {record.sequence, answer_id, hex(record.mac)};
  }

  void commit(rocksdb::WriteBatch& batch, const Head& head) {
    const Head next = sealed(head, *key_);
    store().check(batch.Put(store().head(), kHeadKey, encode_head(next)), "append");
    rocksdb::WriteOptions options;
    options.sync = true;
    write_failed_ = true;
    store().check(store().db().Write(options, &batch), "append");
    write_failed_ = false;
    head_ = next;
  }

  // At most `limit` entries from `first` on, of one answer or (nullptr) of all.
  std::vector<LogEntry> read(uint64_t first, uint64_t limit, const std::string* only_answer) const {
    rocksdb::ManagedSnapshot snapshot(&store().db());
    const auto records = store().iterate(store().records(), snapshot.snapshot());
    std::vector<LogEntry> found;
    for (records->Seek(sequence_key(first)); records->Valid() && found.size() < limit; records->Next()) {
      const uint64_t sequence = parse_sequence_key({records->key().data(), records->key().size()}).value_or(0);
      const Record record =
          decode_record({records->value().data(), records->value().size()}, "record " + std::to_string(sequence));
      if (only_answer && record.answer_id != *only_answer) continue;
      found.push_back(entry_of(record, sequence, snapshot.snapshot()));
    }
    store().check(records->status(), "read it");
    return found;
  }

  LogEntry entry_of(const Record& record, uint64_t sequence, const rocksdb::Snapshot* snapshot) const {
    const std::string where = "provenance log " + folder_.string() + ": record " + std::to_string(sequence);
    const std::string hint = "`openbook log verify` checks the whole log. Without a key it can be read unchecked.";
    if (key_ && (record.sequence != sequence || !same(record.mac, key_->mac_record(record_body(record)))))
      throw Error(Code::kDataLoss, where + ": its MAC does not match: it was changed, moved, or written with another key", hint);
    const auto bytes = store().get(store().payloads(), sequence_key(sequence), snapshot);
    if (!bytes) throw Error(Code::kDataLoss, where + ": its payload is missing", hint);
    StoredPayload payload = decode_payload(*bytes, where + ": payload");
    LogEntry entry{
        {record.sequence, record.answer_id, hex(record.mac)}, record.kind, record.time_ms, record.key_id, std::nullopt};
    if (payload.erased_by) return entry;
    if (key_ && payload_hash(payload.salt, payload.bytes) != record.payload_hash)
      throw Error(Code::kDataLoss, where + ": its payload was changed", hint);
    entry.payload = std::move(payload.bytes);
    return entry;
  }

  std::filesystem::path folder_;
  std::unique_ptr<LogStore> store_;
  mutable std::shared_mutex reopening_;  // guards store_: shared to read through it; replaced under `writing_` too
  std::optional<LogKey> key_;
  std::string no_key_reason_;
  LogMode mode_;
  std::mutex writing_;  // guards what follows
  Head head_;
  bool write_failed_ = false;
};

}  // namespace

std::string_view log_kind_name(LogKind kind) {
  switch (kind) {
    case LogKind::kBegin:
      return "begin";
    case LogKind::kSentence:
      return "sentence";
    case LogKind::kEnd:
      return "end";
    case LogKind::kErase:
      return "erase";
  }
  return "unknown";
}

std::string to_string(const LogReceipt& receipt) {
  return std::to_string(receipt.sequence) + ":" + receipt.answer_id + ":" + receipt.mac;
}

LogReceipt parse_log_receipt(std::string_view text) {
  LogReceipt receipt;
  const size_t first = text.find(':'), second = first == text.npos ? text.npos : text.find(':', first + 1);
  Mac mac;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + std::min(first, text.size()), receipt.sequence);
  if (second == text.npos || problem != std::errc() || end != text.data() + first || receipt.sequence == 0 ||
      !is_answer_id(text.substr(first + 1, second - first - 1)) || !unhex(text.substr(second + 1), mac))
    throw Error(Code::kInvalidArgument,
                "log receipt \"" + std::string(text) +
                    "\": expected SEQUENCE:ANSWER_ID:MAC, as `openbook ask` and `openbook log show` print it");
  receipt.answer_id = text.substr(first + 1, second - first - 1);
  receipt.mac = text.substr(second + 1);
  return receipt;
}

void ProvenanceLog::init(const std::filesystem::path& folder, const std::filesystem::path& key_file) {
  require_key_outside(key_file, folder);
  auto store = LogStore::create(folder);
  const auto discard = [&] {
    store.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  };
  std::optional<LogKey> key;
  try {
    key.emplace(LogKey::create(key_file));
  } catch (...) {
    discard();
    throw;
  }
  try {
    rocksdb::WriteOptions options;
    options.sync = true;
    store->check(store->db().Put(options, store->head(), kHeadKey, encode_head(sealed({}, *key))), "write its head");
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(key_file, ignored);  // made above, and no record was ever written with it
    discard();
    throw;
  }
}

std::unique_ptr<ProvenanceLog> ProvenanceLog::open(const std::filesystem::path& folder, const std::filesystem::path& key_file,
                                                   LogMode mode) {
  std::optional<LogKey> key;
  std::string no_key_reason = "no key was given";
  if (mode == LogMode::kAppend || !key_file.empty()) {
    try {
      require_key_outside(key_file, folder);
      key.emplace(LogKey::load(key_file));
    } catch (const Error& error) {
      if (mode == LogMode::kAppend && std::filesystem::exists(folder)) throw;
      no_key_reason = error.what();
    }
  }
  return std::make_unique<RocksLog>(LogStore::open(folder, mode), std::move(key), std::move(no_key_reason), mode);
}

std::string ProvenanceLog::new_answer_id() {
  std::array<uint8_t, 16> id;
  fill_random(id);
  return hex(id);
}

}  // namespace openbook
