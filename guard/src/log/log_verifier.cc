#include "log/log_verifier.h"

#include <algorithm>
#include <map>

#include "log/log_format.h"
#include "openbook/base/error.h"

namespace openbook::provenance {
namespace {

[[noreturn]] void broken(const std::string& finding) { throw Error(Code::kDataLoss, finding); }
std::string record_name(uint64_t sequence) { return "record " + std::to_string(sequence); }

std::map<uint64_t, std::string> by_begin(const std::map<std::string, uint64_t>& open_answers) {
  std::map<uint64_t, std::string> sorted;
  for (const auto& [answer_id, begun] : open_answers) sorted[begun] = answer_id;
  return sorted;
}

// The walk goes record by record with the payload beside it, and throws data_loss at the first thing that is not as it was
// written.
class Walk {
 public:
  Walk(const LogStore& store, const LogKey* key, const std::vector<LogReceipt>& expect)
      : store_(store),
        key_(key),
        expect_(expect),
        snapshot_(&store.db()),
        payloads_(store.iterate(store.payloads(), snapshot_.snapshot())) {
    std::sort(expect_.begin(), expect_.end(), [](const auto& left, const auto& right) { return left.sequence < right.sequence; });
  }

  void run(LogReport& report) {
    payloads_->SeekToFirst();
    const auto records = store_.iterate(store_.records(), snapshot_.snapshot());
    for (records->SeekToFirst(); records->Valid(); records->Next()) {
      const uint64_t sequence = report.records + 1;
      const auto found = parse_sequence_key({records->key().data(), records->key().size()});
      if (found != sequence)
        broken(record_name(sequence) + " is missing: " + (found ? record_name(*found) + " follows" : "another key stands there"));
      const Record record = decode_record({records->value().data(), records->value().size()}, record_name(sequence));
      check_record(record, sequence);
      check_payload(record);
      check_expected(record);
      last_ = record.mac;
      report.records = sequence;
    }
    store_.check(records->status(), "read its records");
    if (payloads_->Valid()) broken("a payload stands there that no record has");
    store_.check(payloads_->status(), "read its payloads");
    check_head(report);
    check_erasures(report);
    for (; next_expected_ < expect_.size(); ++next_expected_)
      broken("receipt " + to_string(expect_[next_expected_]) + ": the log ends at record " + std::to_string(report.records) +
             ": it was rolled back, or the receipt is of another log");
    for (const auto& [begun, answer_id] : by_begin(open_answers_)) report.interrupted.push_back(answer_id);
  }

 private:
  void check_record(const Record& record, uint64_t sequence) const {
    const std::string name = record_name(sequence);
    if (record.sequence != sequence)
      broken(name + ": " + record_name(record.sequence) + " stands in its place: the records were reordered");
    if (key_ && record.key_id != key_->id()) broken(name + ": written under key " + record.key_id + ", expected " + key_->id());
    if (key_ && !same(record.mac, key_->mac_record(record_body(record))))
      broken(name + ": its MAC does not match: it was changed");
    if (!same(record.previous, last_)) broken(name + ": does not follow the record before it");
  }

  void check_payload(const Record& record) {
    const std::string name = record_name(record.sequence);
    const auto found = payloads_->Valid() ? parse_sequence_key({payloads_->key().data(), payloads_->key().size()}) : std::nullopt;
    store_.check(payloads_->status(), "read its payloads");
    if (found != record.sequence) broken(name + ": its payload is missing, and no erasure says why");
    const StoredPayload payload = decode_payload({payloads_->value().data(), payloads_->value().size()}, "payload of " + name);
    payloads_->Next();
    if (payload.erased_by) {
      if (record.kind == LogKind::kErase) broken(name + ": an erasure itself can't be erased");
      tombstones_[record.sequence] = {*payload.erased_by, record.answer_id, false};
    } else {
      if (payload_hash(payload.salt, payload.bytes) != record.payload_hash) broken(name + ": its payload was changed");
      if (record.kind == LogKind::kErase) claim_tombstones(record, decode_erasure(payload.bytes, name));
    }
    if (record.kind == LogKind::kBegin) open_answers_[record.answer_id] = record.sequence;
    if (record.kind == LogKind::kEnd) open_answers_.erase(record.answer_id);
  }

  void claim_tombstones(const Record& erase, const Erasure& erasure) {
    for (const uint64_t sequence : erasure.sequences) {
      const auto tombstone = tombstones_.find(sequence);
      if (tombstone == tombstones_.end() || tombstone->second.erased_by != erase.sequence ||
          tombstone->second.answer_id != erase.answer_id)
        broken(record_name(sequence) + ": erased by " + record_name(erase.sequence) +
               ", but what stands there is not its tombstone");
      tombstone->second.claimed = true;
    }
  }

  void check_expected(const Record& record) {
    for (; next_expected_ < expect_.size() && expect_[next_expected_].sequence <= record.sequence; ++next_expected_) {
      const LogReceipt& receipt = expect_[next_expected_];
      if (receipt.sequence != record.sequence || receipt.answer_id != record.answer_id || receipt.mac != hex(record.mac))
        broken("receipt " + to_string(receipt) +
               ": another record stands there: the log was rolled back and continued, or the receipt is of another log");
    }
  }

  void check_head(LogReport& report) {
    const auto bytes = store_.get(store_.head(), kHeadKey, snapshot_.snapshot());
    if (!bytes) broken("the head is missing");
    const Head head = decode_head(*bytes);
    if (key_ && (head.key_id != key_->id() || !same(head.mac, key_->mac_head(head_body(head)))))
      broken("the head was changed: its MAC does not match");
    if (head.count != report.records)
      broken("the head counts " + std::to_string(head.count) + " records, " + std::to_string(report.records) +
             " are there: " + (head.count > report.records ? "the tail was cut" : "the head is older than the records"));
    if (!same(head.last, last_)) broken("the head names another last record");
    report.head_mac = hex(head.mac);
  }

  void check_erasures(LogReport& report) const {
    for (const auto& [sequence, tombstone] : tombstones_)
      if (!tombstone.claimed)
        broken(record_name(sequence) + ": its payload is marked as erased by " + record_name(tombstone.erased_by) +
               ", which did not erase it");
    report.erased = tombstones_.size();
  }

  struct Tombstone {
    uint64_t erased_by = 0;
    std::string answer_id;
    bool claimed = false;  // by the kErase record that it names
  };

  const LogStore& store_;
  const LogKey* key_;
  std::vector<LogReceipt> expect_;  // by sequence
  size_t next_expected_ = 0;
  rocksdb::ManagedSnapshot snapshot_;
  std::unique_ptr<rocksdb::Iterator> payloads_;
  Mac last_ = kNoRecord;
  std::map<uint64_t, Tombstone> tombstones_;
  std::map<std::string, uint64_t> open_answers_;  // begun, not ended: the sequence of their begin
};

// A log that names another key throughout was written with that key: nothing can be said with ours. A single foreign name in it
// is damage.
bool written_with_another_key(const LogStore& store, const LogKey& key, std::string& its_key) {
  const auto head = store.get(store.head(), kHeadKey);
  const auto first = store.get(store.records(), sequence_key(1));
  if (!head) return false;
  its_key = decode_head(*head).key_id;
  return its_key != key.id() && (!first || decode_record(*first, record_name(1)).key_id != key.id());
}

}  // namespace

LogReport verify_log(const LogStore& store, const LogKey* key, const std::string& no_key_reason,
                     const std::vector<LogReceipt>& expect) {
  LogReport report;
  std::string reason = no_key_reason;
  try {
    std::string its_key;
    if (key && written_with_another_key(store, *key, its_key)) {
      reason = "the log names key " + its_key + ", the key file holds " + key->id() +
               ": a wrong key file, or another log was put in its place";
      key = nullptr;
    }
    Walk(store, key, expect).run(report);
  } catch (const Error& error) {
    if (error.code() != Code::kDataLoss && error.code() != Code::kUnimplemented) throw;
    report.state = error.code() == Code::kDataLoss ? LogState::kBroken : LogState::kUnverifiable;
    report.finding = error.what();
    return report;
  }
  if (key) return report;
  report.state = LogState::kUnverifiable;
  report.finding = reason;
  return report;
}

}  // namespace openbook::provenance
