// The bytes of stored records: varints (LEB128) and length-prefixed strings, as docs/storage.md spells them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "openbook/base/error.h"

namespace openbook::retriever {

class RecordWriter {
 public:
  RecordWriter& number(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
    return *this;
  }
  RecordWriter& string(std::string_view value) {
    number(value.size());
    bytes_ += value;
    return *this;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what RecordWriter wrote, from bytes that must outlive it. Every read is checked: data_loss naming `what` when the record
// is cut short or a number overflows.
class RecordReader {
 public:
  RecordReader(std::string_view bytes, std::string what) : bytes_(bytes), what_(std::move(what)) {}

  bool at_end() const { return bytes_.empty(); }
  std::string_view rest() const { return bytes_; }

  uint64_t number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) fail();
      const auto byte = static_cast<uint8_t>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    fail();
  }

  std::string_view string() {
    const uint64_t size = number();
    if (size > bytes_.size()) fail();
    const std::string_view value = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return value;
  }

 private:
  [[noreturn]] void fail() const {
    throw Error(Code::kDataLoss, what_ + ": the record is cut short or malformed",
                "Restore the index folder from a copy, or ingest the documents into a new one.");
  }

  std::string_view bytes_;
  std::string what_;
};

}  // namespace openbook::retriever
