#include "log/log_format.h"

#include <algorithm>
#include <charconv>

#include "openbook/base/error.h"

namespace openbook::provenance {
namespace {

enum class PayloadState : uint8_t { kPresent = 0, kErased = 1 };  // stored: never renumber

class Writer {
 public:
  void number(uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out_ += static_cast<char>(value >> shift & 0xFF);
  }
  void text(std::string_view value) {
    number(value.size(), 4);
    out_ += value;
  }
  template <size_t kSize>
  void fixed(const std::array<uint8_t, kSize>& value) {
    out_.append(reinterpret_cast<const char*>(value.data()), kSize);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class Reader {
 public:
  Reader(std::string_view bytes, std::string where) : rest_(bytes), total_(bytes.size()), where_(std::move(where)) {}

  uint64_t number(int bytes) {
    uint64_t value = 0;
    for (const char byte : take(static_cast<size_t>(bytes))) value = value << 8 | static_cast<uint8_t>(byte);
    return value;
  }
  std::string_view text() { return take(number(4)); }
  std::string_view rest() { return take(rest_.size()); }
  template <size_t kSize>
  std::array<uint8_t, kSize> fixed() {
    std::array<uint8_t, kSize> value;
    const std::string_view bytes = take(kSize);
    std::copy(bytes.begin(), bytes.end(), value.begin());
    return value;
  }
  uint8_t version(uint8_t newest = kFormatVersion) {
    const uint64_t found = number(1);
    if (found < kFormatVersion || found > newest)
      throw Error(Code::kUnimplemented,
                  where_ + ": format version " + std::to_string(found) + ", this build reads version " + std::to_string(newest));
    return static_cast<uint8_t>(found);
  }
  void end() const {
    if (!rest_.empty()) fail(std::to_string(rest_.size()) + " bytes follow its end");
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Code::kDataLoss, where_ + ": " + what, "Restore the log from a backup.");
  }

 private:
  std::string_view take(size_t size) {
    if (size > rest_.size())
      fail("cut short: byte " + std::to_string(total_ - rest_.size() + size) + " expected, it has " + std::to_string(total_));
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  size_t total_;
  std::string where_;
};

uint8_t version_of(LogKind kind) { return kind == LogKind::kRotate ? kRotationVersion : kFormatVersion; }

}  // namespace

std::string record_body(const Record& record) {
  Writer out;
  out.number(version_of(record.kind), 1);
  out.number(static_cast<uint8_t>(record.kind), 1);
  out.text(record.key_id);
  out.number(record.sequence, 8);
  out.number(static_cast<uint64_t>(record.time_ms), 8);
  out.text(record.answer_id);
  out.fixed(record.payload_hash);
  out.fixed(record.previous);
  return out.take();
}

std::string successor_text(const Record& record) {
  return record_body(record) + std::string(record.mac.begin(), record.mac.end());
}

std::string encode_record(const Record& record) {
  std::string bytes = successor_text(record);
  if (record.kind == LogKind::kRotate) bytes.append(record.successor_mac.begin(), record.successor_mac.end());
  return bytes;
}

Record decode_record(std::string_view bytes, const std::string& where) {
  Reader in(bytes, where);
  Record record;
  const uint8_t version = in.version(kRotationVersion);
  const uint64_t kind = in.number(1);
  if (kind < static_cast<uint64_t>(LogKind::kBegin) || kind > static_cast<uint64_t>(LogKind::kRotate))
    in.fail("unknown kind " + std::to_string(kind));
  record.kind = static_cast<LogKind>(kind);
  if (version != version_of(record.kind))
    in.fail("format version " + std::to_string(version) + " does not go with kind " + std::to_string(kind));
  record.key_id = in.text();
  record.sequence = in.number(8);
  record.time_ms = static_cast<int64_t>(in.number(8));
  record.answer_id = in.text();
  record.payload_hash = in.fixed<32>();
  record.previous = in.fixed<32>();
  record.mac = in.fixed<32>();
  if (record.kind == LogKind::kRotate) record.successor_mac = in.fixed<32>();
  in.end();
  return record;
}

std::string head_body(const Head& head) {
  Writer out;
  out.number(kFormatVersion, 1);
  out.text(head.key_id);
  out.number(head.count, 8);
  out.fixed(head.last);
  return out.take();
}

std::string encode_head(const Head& head) { return head_body(head) + std::string(head.mac.begin(), head.mac.end()); }

Head decode_head(std::string_view bytes) {
  Reader in(bytes, "head of the log");
  Head head;
  in.version();
  head.key_id = in.text();
  head.count = in.number(8);
  head.last = in.fixed<32>();
  head.mac = in.fixed<32>();
  in.end();
  return head;
}

std::string encode_payload(const StoredPayload& payload) {
  Writer out;
  out.number(kFormatVersion, 1);
  if (payload.erased_by) {
    out.number(static_cast<uint8_t>(PayloadState::kErased), 1);
    out.number(*payload.erased_by, 8);
  } else {
    out.number(static_cast<uint8_t>(PayloadState::kPresent), 1);
    out.fixed(payload.salt);
    out.text(payload.bytes);
  }
  return out.take();
}

StoredPayload decode_payload(std::string_view bytes, const std::string& where) {
  Reader in(bytes, where);
  StoredPayload payload;
  in.version();
  const uint64_t state = in.number(1);
  if (state == static_cast<uint64_t>(PayloadState::kErased)) {
    payload.erased_by = in.number(8);
  } else if (state == static_cast<uint64_t>(PayloadState::kPresent)) {
    payload.salt = in.fixed<16>();
    payload.bytes = in.text();
  } else {
    in.fail("unknown state " + std::to_string(state));
  }
  in.end();
  return payload;
}

Sha256Digest payload_hash(const Salt& salt, std::string_view bytes) {
  Sha256 hash;
  hash.update("openbook-log payload 1\n");  // this hash is never one of a plain file
  hash.update({reinterpret_cast<const char*>(salt.data()), salt.size()});
  hash.update(bytes);
  return hash.finish();
}

std::string encode_erasure(const Erasure& erasure) {
  std::string text = "erased";
  for (const uint64_t sequence : erasure.sequences) text.append(" ").append(std::to_string(sequence));
  return text + "\n" + erasure.reason;
}

Erasure decode_erasure(std::string_view text, const std::string& where) {
  Erasure erasure;
  const size_t line_end = std::min(text.find('\n'), text.size());
  std::string_view numbers = text.substr(0, line_end);
  const auto refuse = [&] { Reader(text, where).fail("not an erasure: expected \"erased SEQUENCE...\" and a reason"); };
  if (line_end == text.size() || !numbers.starts_with("erased")) refuse();
  numbers.remove_prefix(6);
  while (!numbers.empty()) {
    uint64_t sequence = 0;
    const auto [end, problem] = std::from_chars(numbers.data() + 1, numbers.data() + numbers.size(), sequence);
    if (numbers.front() != ' ' || problem != std::errc()) refuse();
    numbers.remove_prefix(static_cast<size_t>(end - numbers.data()));
    erasure.sequences.push_back(sequence);
  }
  erasure.reason = text.substr(line_end + 1);
  if (encode_erasure(erasure) != text) refuse();  // "08" for 8
  return erasure;
}

std::string encode_rotation(const Rotation& rotation) {
  return "rotated " + rotation.from + " " + rotation.to + "\n" + hex(rotation.records);
}

Rotation decode_rotation(std::string_view text, const std::string& where) {
  constexpr std::string_view kWord = "rotated ";
  constexpr size_t kIdDigits = 16, kLine = kWord.size() + 2 * kIdDigits + 2;
  Rotation rotation;
  std::array<uint8_t, kIdDigits / 2> id;
  const auto is_id = [&](size_t begin) { return unhex(text.substr(begin, kIdDigits), id); };
  if (text.size() < kLine || !text.starts_with(kWord) || !is_id(kWord.size()) || text[kWord.size() + kIdDigits] != ' ' ||
      !is_id(kWord.size() + kIdDigits + 1) || text[kLine - 1] != '\n' || !unhex(text.substr(kLine), rotation.records))
    Reader(text, where).fail("not a change of key: expected \"rotated KEY_ID KEY_ID\" and a hash");
  rotation.from = text.substr(kWord.size(), kIdDigits);
  rotation.to = text.substr(kWord.size() + kIdDigits + 1, kIdDigits);
  return rotation;
}

Sha256Digest records_hash(const Sha256Digest& before, std::string_view record) {
  Sha256 hash;
  hash.update("openbook-log records 1\n");
  hash.update({reinterpret_cast<const char*>(before.data()), before.size()});
  hash.update(record);
  return hash.finish();
}

std::string sequence_key(uint64_t sequence) {
  Writer out;
  out.number(sequence, 8);
  return out.take();
}

std::optional<uint64_t> parse_sequence_key(std::string_view key) {
  if (key.size() != 8) return std::nullopt;
  return Reader(key, "key").number(8);
}

bool is_answer_id(std::string_view text) {
  std::array<uint8_t, 16> bytes;
  return unhex(text, bytes);
}

}  // namespace openbook::provenance
