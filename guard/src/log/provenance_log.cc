#include "openbook/guard/provenance_log.h"

#include <chrono>
#include <limits>
#include <mutex>
#include <shared_mutex>

#include "log/log_folder.h"
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
  RocksLog(std::unique_ptr<LogStore> store, LogKeys keys, LogMode mode)
      : folder_(store->folder()), store_(std::move(store)), keys_(std::move(keys)), mode_(mode) {
    if (mode_ == LogMode::kAppend) head_ = read_tail();
  }

  LogReceipt append(LogKind kind, const std::string& answer_id, std::string_view payload) override {
    if (kind == LogKind::kErase || kind == LogKind::kRotate)
      throw Error(Code::kInvalidArgument,
                  "a record of kind " + std::string(log_kind_name(kind)) + " is made by erase() or rotate_key() alone");
    require_answer_id(answer_id);
    const std::lock_guard lock(writing_);
    require_writable();
    rocksdb::WriteBatch batch;
    Head head = head_;
    const LogReceipt receipt = add(batch, head, kind, answer_id, payload);
    commit(batch, sealed(head, *keys_.newest));
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

  void erase(const std::string& answer_id, std::string_view reason) override {
    if (answer_id == kNoAnswer) throw Error(Code::kInvalidArgument, "changes of the log's key can't be erased");
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
      commit(batch, sealed(head, *keys_.newest));
    }
    write_failed_ = true;
    store().purge_payloads(first, last);  // also for an erased answer: a crash may have come between
    write_failed_ = false;
  }

  LogReport verify(const std::vector<LogReceipt>& expect) const override {
    const std::shared_lock reading(reopening_);
    return verify_log(store(), keys_, expect);
  }

  LogReceipt rotate_key(const std::filesystem::path& new_key_file) override {
    const std::lock_guard lock(writing_);
    require_writable();
    require_key_outside(new_key_file, folder_);
    const Rotation rotation{keys_.newest->id(), {}, hash_to_vouch_for()};
    LogKey next = LogKey::create(new_key_file);  // on disk before the log names it: no crash can lose it
    rocksdb::WriteBatch batch;
    Head head = head_;
    const LogReceipt receipt = add_rotation(batch, head, rotation, next);
    const std::unique_lock nobody_reads(reopening_);
    try {
      commit(batch, sealed(head, next));
    } catch (const Error& error) {  // a write that failed may yet be there, so the new key's file stays
      throw Error(error.code(), error.what(),
                  new_key_file.string() + " is kept: `openbook log verify` says which key the log names. " + error.hint());
    }
    keys_.old.push_back(std::move(*keys_.newest));
    keys_.newest.emplace(std::move(next));
    return receipt;
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
    const LogKey& key = *keys_.newest;
    if (head.key_id != key.id())
      throw Error(Code::kFailedPrecondition,
                  where + "names key " + head.key_id + ", the key file " + key.file().string() + " holds " + key.id(),
                  "Name the key made with this log, or the newest one when `openbook log rotate-key` changed it.");
    if (!same(head.mac, key.mac_head(head_body(head))))
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
    const bool changes_key = record.kind == LogKind::kRotate && record.key_id != key.id();
    const Mac ours = changes_key ? record.successor_mac : record.mac;
    if (!same(record.mac, head.last) || !same(ours, key.mac_record(changes_key ? successor_text(record) : record_body(record))))
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

  // The hash of all records, once the log is found to be what was written: a change must not hide behind a change of key.
  Sha256Digest hash_to_vouch_for() const {
    try {
      return hash_of_whole_log(store(), keys_);
    } catch (const Error& error) {
      throw Error(error.code(), "provenance log " + folder_.string() + ": the key can't be changed: " + error.what(),
                  "`openbook log verify` checks the whole log. Restore it from a backup.");
    }
  }

  LogReceipt add(rocksdb::WriteBatch& batch, Head& head, LogKind kind, const std::string& answer_id,
                 std::string_view payload) const {
    if (payload.size() > kMaxPayloadBytes)
      throw Error(Code::kOutOfRange,
                  "log payload of " + std::to_string(payload.size()) + " bytes, at most " + std::to_string(kMaxPayloadBytes));
    const StoredPayload stored = salted(payload);
    return put(batch, head, next_record(kind, answer_id, stored, head), stored);
  }

  LogReceipt add_rotation(rocksdb::WriteBatch& batch, Head& head, Rotation rotation, const LogKey& next) const {
    rotation.to = next.id();
    const StoredPayload stored = salted(encode_rotation(rotation));
    Record record = next_record(LogKind::kRotate, std::string(kNoAnswer), stored, head);
    record.successor_mac = next.mac_record(successor_text(record));
    return put(batch, head, record, stored);
  }

  static StoredPayload salted(std::string_view payload) {
    StoredPayload stored{{}, std::string(payload), std::nullopt};
    fill_random(stored.salt);
    return stored;
  }

  Record next_record(LogKind kind, const std::string& answer_id, const StoredPayload& stored, const Head& head) const {
    Record record{.kind = kind,
                  .key_id = keys_.newest->id(),
                  .sequence = head.count + 1,
                  .time_ms = now_ms(),
                  .answer_id = answer_id,
                  .payload_hash = payload_hash(stored.salt, stored.bytes),
                  .previous = head.last};
    record.mac = keys_.newest->mac_record(record_body(record));
    return record;
  }

  LogReceipt put(rocksdb::WriteBatch& batch, Head& head, const Record& record, const StoredPayload& stored) const {
    const std::string key = sequence_key(record.sequence);
    store().check(batch.Put(store().records(), key, encode_record(record)), "append");
    store().check(batch.Put(store().payloads(), key, encode_payload(stored)), "append");
    head.count = record.sequence;
    head.last = record.mac;
    return {record.sequence, record.answer_id, hex(record.mac)};
  }

  void commit(rocksdb::WriteBatch& batch, const Head& next) {
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
    const std::string hint = "`openbook log verify` checks the whole log.";
    const auto bytes = store().get(store().payloads(), sequence_key(sequence), snapshot);
    if (!bytes) throw Error(Code::kDataLoss, where + ": its payload is missing", hint);
    StoredPayload payload = decode_payload(*bytes, where + ": payload");
    std::optional<Rotation> rotation;
    if (record.kind == LogKind::kRotate && !keys_.empty()) rotation = decode_rotation(payload.bytes, where);
    const Seal seal = seal_of(record, rotation, keys_);
    if (seal == Seal::kBad || (seal == Seal::kGood && record.sequence != sequence))
      throw Error(Code::kDataLoss, where + ": its MAC does not match: it was changed or moved", hint);
    LogEntry entry{.receipt = {record.sequence, record.answer_id, hex(record.mac)},
                   .kind = record.kind,
                   .time_ms = record.time_ms,
                   .key_id = record.key_id,
                   .checked = seal == Seal::kGood};
    if (payload.erased_by) return entry;
    if (!keys_.empty() && payload_hash(payload.salt, payload.bytes) != record.payload_hash)
      throw Error(Code::kDataLoss, where + ": its payload was changed", hint);
    entry.payload = std::move(payload.bytes);
    return entry;
  }

  std::filesystem::path folder_;
  std::unique_ptr<LogStore> store_;
  mutable std::shared_mutex reopening_;  // guards store_ and keys_: shared to read with them; replaced under `writing_` too
  LogKeys keys_;
  LogMode mode_;
  std::mutex writing_;  // guards what follows
  Head head_;
  bool write_failed_ = false;
};

}  // namespace

void ProvenanceLog::init(const std::filesystem::path& folder, const std::filesystem::path& key_file) {
  require_key_outside(key_file, folder);
  ClaimedFolder claimed(folder);
  std::unique_ptr<LogStore> store;
  std::optional<LogKey> key;
  try {
    store = LogStore::create(claimed);
    key.emplace(LogKey::create(key_file));
    rocksdb::WriteOptions options;
    options.sync = true;
    store->check(store->db().Put(options, store->head(), kHeadKey, encode_head(sealed({}, *key))), "write its head");
  } catch (...) {
    std::error_code ignored;
    if (key) std::filesystem::remove(key_file, ignored);  // made above, and no record was ever written with it
    store.reset();
    claimed.abandon();
    throw;
  }
}

std::unique_ptr<ProvenanceLog> ProvenanceLog::open(const std::filesystem::path& folder, const std::filesystem::path& key_file,
                                                   LogMode mode, const std::vector<std::filesystem::path>& old_key_files) {
  LogKeys keys;
  // A key that can't be used is no error to who only reads: verify() says why it can't say more.
  const auto load = [&](const std::filesystem::path& file, bool must) -> std::optional<LogKey> {
    try {
      require_key_outside(file, folder);
      return LogKey::load(file);
    } catch (const Error& error) {
      if (must) throw;
      keys.refused += (keys.refused.empty() ? "" : "; ") + std::string(error.what());
      return std::nullopt;
    }
  };
  const bool writes = mode == LogMode::kAppend && std::filesystem::exists(folder);
  if (writes || !key_file.empty())
    if (auto key = load(key_file, writes)) keys.newest.emplace(std::move(*key));
  for (const std::filesystem::path& file : old_key_files)
    if (auto key = load(file, false)) keys.old.push_back(std::move(*key));
  if (keys.empty() && keys.refused.empty()) keys.refused = "no key was given";
  return std::make_unique<RocksLog>(LogStore::open(folder, mode), std::move(keys), mode);
}

std::string ProvenanceLog::new_answer_id() {
  std::array<uint8_t, 16> id;
  fill_random(id);
  return hex(id);
}

}  // namespace openbook
