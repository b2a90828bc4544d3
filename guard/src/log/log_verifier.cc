#include "log/log_verifier.h"

#include <algorithm>
#include <map>
#include <set>

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

// What the keys at hand prove of a log in which nothing wrong is seen.
struct Proved {
  struct Run {
    uint64_t first = 0, last = 0;
    std::string key_id;
  };
  std::vector<Run> unknown;     // records whose key is not there
  uint64_t vouched_up_to = 0;   // a proven change of key, which holds a hash of all records before it
  std::set<std::string> names;  // of all keys that the log names
  std::string head_key_id;
};

// The walk goes record by record with the payload beside it, and throws data_loss at the first thing that is not as it was
// written.
class Walk {
 public:
  Walk(const LogStore& store, const LogKeys& keys, const std::vector<LogReceipt>& expect)
      : store_(store),
        keys_(keys),
        expect_(expect),
        snapshot_(&store.db()),
        payloads_(store.iterate(store.payloads(), snapshot_.snapshot())) {
    std::sort(expect_.begin(), expect_.end(), [](const auto& left, const auto& right) { return left.sequence < right.sequence; });
  }

  const Proved& proved() const { return proved_; }
  const Sha256Digest& hash() const { return hash_; }

  void run(LogReport& report) {
    payloads_->SeekToFirst();
    const auto records = store_.iterate(store_.records(), snapshot_.snapshot());
    for (records->SeekToFirst(); records->Valid(); records->Next()) {
      const uint64_t sequence = report.records + 1;
      const auto found = parse_sequence_key({records->key().data(), records->key().size()});
      if (found != sequence)
        broken(record_name(sequence) + " is missing: " + (found ? record_name(*found) + " follows" : "another key stands there"));
      const std::string_view bytes(records->value().data(), records->value().size());
      step(decode_record(bytes, record_name(sequence)), sequence, report);
      hash_ = records_hash(hash_, bytes);
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
  void step(const Record& record, uint64_t sequence, LogReport& report) {
    const std::string name = record_name(sequence);
    if (record.sequence != sequence)
      broken(name + ": " + record_name(record.sequence) + " stands in its place: the records were reordered");
    if (key_id_.empty()) key_id_ = record.key_id;
    if (record.key_id != key_id_) broken(name + ": written under key " + record.key_id + ", expected " + key_id_);
    proved_.names.insert(key_id_);
    const StoredPayload payload = next_payload(name);
    std::optional<Rotation> rotation;
    if (record.kind == LogKind::kRotate) rotation = decode_rotation(payload.bytes, name);
    const Seal seal = seal_of(record, rotation, keys_);
    if (seal == Seal::kBad) broken(name + ": its MAC does not match: it was changed");
    if (!same(record.previous, last_)) broken(name + ": does not follow the record before it");
    check_payload(record, payload);
    if (rotation) change_key(record, *rotation, seal);
    check_expected(record);
    seal == Seal::kGood ? void(++report.verified) : add_unknown(record);
    last_ = record.mac;
  }

  StoredPayload next_payload(const std::string& record) {
    const auto found = payloads_->Valid() ? parse_sequence_key({payloads_->key().data(), payloads_->key().size()}) : std::nullopt;
    store_.check(payloads_->status(), "read its payloads");
    if (record_name(found.value_or(0)) != record) broken(record + ": its payload is missing, and no erasure says why");
    StoredPayload payload = decode_payload({payloads_->value().data(), payloads_->value().size()}, "payload of " + record);
    payloads_->Next();
    return payload;
  }

  void check_payload(const Record& record, const StoredPayload& payload) {
    const std::string name = record_name(record.sequence);
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

  void change_key(const Record& record, const Rotation& rotation, Seal seal) {
    const std::string name = record_name(record.sequence);
    if (rotation.from != record.key_id) broken(name + ": changes key " + rotation.from + ", but is under " + record.key_id);
    if (rotation.records != hash_)
      broken("the records before " + name + " are not those that were there when it changed the key");
    if (seal == Seal::kGood) proved_.vouched_up_to = record.sequence;
    key_id_ = rotation.to;
  }

  void add_unknown(const Record& record) {
    auto& runs = proved_.unknown;
    if (runs.empty() || runs.back().last + 1 != record.sequence || runs.back().key_id != record.key_id)
      runs.push_back({record.sequence, record.sequence, record.key_id});
    runs.back().last = record.sequence;
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
    const LogKey* key = keys_.find(head.key_id);
    if (key && !same(head.mac, key->mac_head(head_body(head)))) broken("the head was changed: its MAC does not match");
    if (head.count != report.records)
      broken("the head counts " + std::to_string(head.count) + " records, " + std::to_string(report.records) +
             " are there: " + (head.count > report.records ? "the tail was cut" : "the head is older than the records"));
    if (!same(head.last, last_)) broken("the head names another last record");
    if (report.records > 0 && head.key_id != key_id_)
      broken("the head names key " + head.key_id + ", the records go on under key " + key_id_);
    report.head_mac = hex(head.mac);
    proved_.head_key_id = head.key_id;
    proved_.names.insert(head.key_id);
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
  const LogKeys& keys_;
  std::vector<LogReceipt> expect_;  // by sequence
  size_t next_expected_ = 0;
  rocksdb::ManagedSnapshot snapshot_;
  std::unique_ptr<rocksdb::Iterator> payloads_;
  Mac last_ = kNoRecord;
  Sha256Digest hash_{};  // of all records so far
  std::string key_id_;   // that the next record must be under; empty before the first
  Proved proved_;
  std::map<uint64_t, Tombstone> tombstones_;
  std::map<std::string, uint64_t> open_answers_;  // begun, not ended: the sequence of their begin
};

std::string held_by(const LogKey& key) { return "the key file " + key.file().string() + " holds " + key.id(); }

std::vector<const LogKey*> all_of(const LogKeys& keys) {
  std::vector<const LogKey*> all;
  if (keys.newest) all.push_back(&*keys.newest);
  for (const LogKey& key : keys.old) all.push_back(&key);
  return all;
}

// Why a log in which nothing wrong is seen is not proven whole; empty when it is.
std::string why_unverifiable(const Proved& proved, const LogKeys& keys) {
  if (keys.empty()) return keys.refused;
  std::string reasons;
  const auto add = [&](const std::string& reason) { reasons += (reasons.empty() ? "" : "; ") + reason; };
  const auto all = all_of(keys);
  const auto is_unused = [&](const LogKey* key) { return !proved.names.contains(key->id()); };
  if (std::all_of(all.begin(), all.end(), is_unused)) {
    add("the log names key " + proved.head_key_id);
    for (const LogKey* key : all) reasons += ", " + held_by(*key);
    reasons += ": a wrong key file, or another log was put in its place";
    return reasons;
  }
  for (const Proved::Run& run : proved.unknown) {
    const bool one = run.first == run.last;
    add((one ? "record " : "records " + std::to_string(run.first) + " to ") + std::to_string(run.last) + (one ? " is" : " are") +
        " under key " + run.key_id + ", which no key file at hand holds");
    if (run.last < proved.vouched_up_to)
      reasons += " (unchanged since record " + std::to_string(proved.vouched_up_to) + ", which changed the key)";
  }
  if (!keys.find(proved.head_key_id))
    add("the log goes on under key " + proved.head_key_id + ", which no key file at hand holds");
  for (const LogKey* key : all)
    if (is_unused(key))
      add(held_by(*key) +
          ", which signed nothing in this log: it is of another log, or this one was rolled back to before its "
          "key was changed");
  if (!keys.refused.empty()) add(keys.refused);
  return reasons;
}

}  // namespace

Seal seal_of(const Record& record, const std::optional<Rotation>& rotation, const LogKeys& keys) {
  Seal seal = Seal::kUnknownKey;
  const auto weigh = [&](const LogKey* key, const std::string& text, const Mac& mac) {
    if (key && seal != Seal::kBad) seal = same(mac, key->mac_record(text)) ? Seal::kGood : Seal::kBad;
  };
  weigh(keys.find(record.key_id), record_body(record), record.mac);
  if (rotation) weigh(keys.find(rotation->to), successor_text(record), record.successor_mac);
  return seal;
}

LogReport verify_log(const LogStore& store, const LogKeys& keys, const std::vector<LogReceipt>& expect) {
  LogReport report;
  Walk walk(store, keys, expect);
  try {
    walk.run(report);
  } catch (const Error& error) {
    if (error.code() != Code::kDataLoss && error.code() != Code::kUnimplemented) throw;
    report.state = error.code() == Code::kDataLoss ? LogState::kBroken : LogState::kUnverifiable;
    report.finding = error.what();
    return report;
  }
  report.finding = why_unverifiable(walk.proved(), keys);
  if (!report.finding.empty()) report.state = LogState::kUnverifiable;
  return report;
}

Sha256Digest hash_of_whole_log(const LogStore& store, const LogKeys& keys) {
  LogReport report;
  Walk walk(store, keys, {});
  walk.run(report);
  return walk.hash();
}

}  // namespace openbook::provenance
