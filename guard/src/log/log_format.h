// The bytes of a provenance log: what is written, what is signed, and how it is read back strictly. docs/provenance-log.md has
// the grammar.
//
// Canonical: one value has one encoding, integers are big-endian, texts carry their length, and nothing may follow. Decoding
// throws data_loss naming `where` (e.g. "record 7") for anything else, unimplemented for another version.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/hmac.h"
#include "openbook/base/hash.h"
#include "openbook/guard/provenance_log.h"

namespace openbook::provenance {

constexpr uint8_t kFormatVersion = 1;
constexpr uint8_t kRotationVersion = 2;  // of kRotate records: builds that don't know them must not call them damage
constexpr size_t kMaxPayloadBytes = size_t{64} << 20;
constexpr Mac kNoRecord{};  // "the MAC before the first record"

using Salt = std::array<uint8_t, 16>;

struct Record {
  LogKind kind = LogKind::kBegin;
  std::string key_id;
  uint64_t sequence = 0;
  int64_t time_ms = 0;
  std::string answer_id;
  Sha256Digest payload_hash{};
  Mac previous = kNoRecord;
  Mac mac{};            // over everything above
  Mac successor_mac{};  // kRotate alone: over everything above and `mac`, under the key that follows
};
std::string record_body(const Record& record);     // what is signed
std::string successor_text(const Record& record);  // what the key that follows signs
std::string encode_record(const Record& record);
Record decode_record(std::string_view bytes, const std::string& where);

struct Head {
  std::string key_id;
  uint64_t count = 0;
  Mac last = kNoRecord;  // MAC of the last record
  Mac mac{};
};
std::string head_body(const Head& head);
std::string encode_head(const Head& head);
Head decode_head(std::string_view bytes);

// A payload as it stands beside the chain: its salt and bytes, or the sequence of the kErase record that took it away.
struct StoredPayload {
  Salt salt{};
  std::string bytes;
  std::optional<uint64_t> erased_by;
};
std::string encode_payload(const StoredPayload& payload);
StoredPayload decode_payload(std::string_view bytes, const std::string& where);

// What the chain holds of a payload. The salt is erased with the payload, so that what remains can't be compared with guesses.
Sha256Digest payload_hash(const Salt& salt, std::string_view bytes);

// The payload of a kErase record, text so that a reader of the log sees it: "erased 3 4 5\n" and the reason.
struct Erasure {
  std::vector<uint64_t> sequences;  // rising
  std::string reason;
};
std::string encode_erasure(const Erasure& erasure);
Erasure decode_erasure(std::string_view text, const std::string& where);

// The payload of a kRotate record, text as well: "rotated FROM TO\n" and the hash of the records before it in hex digits.
struct Rotation {
  std::string from, to;    // key ids
  Sha256Digest records{};  // records_hash after the record before
};
std::string encode_rotation(const Rotation& rotation);
Rotation decode_rotation(std::string_view text, const std::string& where);

// A hash of all records up to one, from that of those before it (all zero before the first). It needs no key.
Sha256Digest records_hash(const Sha256Digest& before, std::string_view record);

std::string sequence_key(uint64_t sequence);  // 8 bytes, big-endian: RocksDB sorts by bytes
std::optional<uint64_t> parse_sequence_key(std::string_view key);

bool is_answer_id(std::string_view text);  // 32 lower-case hex digits

}  // namespace openbook::provenance
