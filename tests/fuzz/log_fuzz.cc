// The stored bytes of a provenance log, and receipts that users type. One value has one encoding, so what can be read is written
// back as the same bytes.
#include "fuzz.h"
#include "log/log_format.h"
#include "openbook/base/error.h"

namespace {

template <typename Read>
void expect_canonical(std::string_view input, const Read& write_back) {
  try {
    openbook::fuzz::require(write_back() == input, "what is read is written back as the same bytes");
  } catch (const openbook::Error& error) {
    if (error.code() == openbook::Code::kInternal) throw;
  }
}

}  // namespace

void openbook::fuzz::run(std::string_view input) {
  using namespace provenance;
  expect_canonical(input, [&] { return encode_record(decode_record(input, "record")); });
  expect_canonical(input, [&] { return encode_head(decode_head(input)); });
  expect_canonical(input, [&] { return encode_payload(decode_payload(input, "payload")); });
  expect_canonical(input, [&] { return encode_erasure(decode_erasure(input, "erasure")); });
  if (const auto sequence = parse_sequence_key(input))
    require(sequence_key(*sequence) == input, "a key is read as it is written");
  parse_log_receipt(input);
}
