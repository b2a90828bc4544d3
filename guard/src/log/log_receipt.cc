#include <algorithm>
#include <charconv>

#include "log/hmac.h"
#include "log/log_format.h"
#include "openbook/base/error.h"
#include "openbook/guard/provenance_log.h"

namespace openbook {

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
    case LogKind::kRotate:
      return "rotate";
  }
  return "unknown";
}

std::string to_string(const LogReceipt& receipt) {
  return std::to_string(receipt.sequence) + ":" + receipt.answer_id + ":" + receipt.mac;
}

LogReceipt parse_log_receipt(std::string_view text) {
  LogReceipt receipt;
  const size_t first = text.find(':'), second = first == text.npos ? text.npos : text.find(':', first + 1);
  provenance::Mac mac;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + std::min(first, text.size()), receipt.sequence);
  if (second == text.npos || problem != std::errc() || end != text.data() + first || receipt.sequence == 0 ||
      !provenance::is_answer_id(text.substr(first + 1, second - first - 1)) || !provenance::unhex(text.substr(second + 1), mac))
    throw Error(Code::kInvalidArgument,
                "log receipt \"" + std::string(text) +
                    "\": expected SEQUENCE:ANSWER_ID:MAC, as `openbook ask` and `openbook log show` print it");
  receipt.answer_id = text.substr(first + 1, second - first - 1);
  receipt.mac = text.substr(second + 1);
  return receipt;
}

}  // namespace openbook
