// A log that can prove later what was said, from what, and why; changes, reordering, cuts and rollbacks are found.
//
// Records form an HMAC-SHA-256 chain over canonical length-prefixed bytes; payloads stand beside the chain, which holds their
// salted hashes, so that erase() leaves a verifiable tombstone. The key can be changed: rotate_key() begins with a new one, and
// the records before verify under the old one. Layout and reasoning: docs/provenance-log.md. Limit: whoever holds the key can
// forge.
//
// Thread-safe. One writer process a folder; readers beside it, which see every record that was acknowledged before they opened.
//
//   ProvenanceLog::init("answers.log", "/secure/answers.key");
//   auto log = ProvenanceLog::open("answers.log", "/secure/answers.key", LogMode::kAppend);
//   LogReceipt receipt = log->append(LogKind::kBegin, answer_id, payload);   // synced when it returns
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace openbook {

enum class LogMode { kReadOnly, kAppend };
enum class LogKind : uint8_t { kBegin = 1, kSentence = 2, kEnd = 3, kErase = 4, kRotate = 5 };  // stored: never renumber
std::string_view log_kind_name(LogKind kind);

// The answer id of a record that belongs to no answer.
inline constexpr std::string_view kNoAnswer = "00000000000000000000000000000000";

struct LogReceipt {
  uint64_t sequence = 0;  // of the record, from 1
  std::string answer_id;  // 32 hex digits, random; kNoAnswer in a kRotate record
  std::string mac;        // 64 hex digits
};
std::string to_string(const LogReceipt& receipt);     // "SEQUENCE:ANSWER_ID:MAC", what users keep
LogReceipt parse_log_receipt(std::string_view text);  // throws invalid_argument

struct LogEntry {
  LogReceipt receipt;
  LogKind kind = LogKind::kBegin;
  int64_t time_ms = 0;  // since 1970, UTC
  std::string key_id;
  std::optional<std::string> payload;  // nothing when erased
  bool checked = false;                // its MAC and its payload were; false without the key of `key_id`
};

enum class LogState {
  kWhole,
  kBroken,        // not what was written
  kUnverifiable,  // nothing wrong is seen, but a key is missing, so that proves too little
};

struct LogReport {
  LogState state = LogState::kWhole;
  uint64_t records = 0;
  uint64_t verified = 0;  // of them, those whose MAC was checked under their key
  std::vector<std::string>
      interrupted;      // answers with a begin and no end, oldest first; one that is being written just now is among them
  uint64_t erased = 0;  // records whose payload was erased
  std::string head_mac;
  std::string finding;  // what is broken, at which record; or why it can't be verified
};

class ProvenanceLog {
 public:
  // Makes an empty log and a new key (mode 0600, outside the log folder). Throws failed_precondition when either exists,
  // invalid_argument when the key would lie inside the folder.
  static void init(const std::filesystem::path& folder, const std::filesystem::path& key_file);

  // Throws invalid_argument (to append, no key file named), not_found, unavailable (another writer), data_loss (damaged files, or
  // the tail does not verify: nothing may be appended to a broken chain), failed_precondition (key missing, of another log, not
  // owned by this user, readable by others, or a symbolic link). Reading needs no key: without one, or with one that would be
  // refused, entries are not checked and verify() says why. A reader sees the log as of when it was opened.
  //
  // `key_file` is the newest key. `old_key_files` are those from before rotate_key(): they serve to verify, never to append.
  static std::unique_ptr<ProvenanceLog> open(const std::filesystem::path& folder, const std::filesystem::path& key_file,
                                             LogMode mode, const std::vector<std::filesystem::path>& old_key_files = {});
  virtual ~ProvenanceLog() = default;

  static std::string new_answer_id();

  // Synced to disk when it returns. Throws resource_exhausted (disk full: the record is not there; append again once there is
  // room), out_of_range (a payload above 64 MiB).
  virtual LogReceipt append(LogKind kind, const std::string& answer_id, std::string_view payload) = 0;

  // Every entry whose key is there is checked on its own, which verify() alone does to its place in the chain: throws data_loss
  // naming the record.
  virtual std::vector<LogEntry> entries(uint64_t first = 1, uint64_t limit = 0) const = 0;  // 0: all
  virtual std::vector<LogEntry> of_answer(const std::string& answer_id) const = 0;          // throws not_found

  // Replaces the payloads of an answer by tombstones, appends a kErase record with the reason, and takes the old bytes out of the
  // files. May be run again: what is erased stays so. Throws not_found, data_loss (a payload was changed: it must not vanish
  // unseen), unavailable (others open the log all the time, and old files could not be deleted: run it again).
  virtual void erase(const std::string& answer_id, std::string_view reason) = 0;

  // Makes a new key (mode 0600, outside the log folder), and from the next record on writes under it. The change is a record
  // (kRotate) under both keys, which holds a hash of all records before it. Verifies the log first: a change of the log must not
  // hide behind a change of the key. A crash at any moment leaves a log that opens with the old or the new key, and the new
  // key's file is there before the log names it. Keep the old key: the records before verify with it alone. Throws
  // failed_precondition when the new key's file is there already, invalid_argument when it would lie inside the folder,
  // data_loss, resource_exhausted.
  virtual LogReceipt rotate_key(const std::filesystem::path& new_key_file) = 0;

  // Walks the whole chain. `expect` are receipts that must be in it: they find a rollback, which the head beside the log cannot.
  virtual LogReport verify(const std::vector<LogReceipt>& expect = {}) const = 0;
};

}  // namespace openbook
