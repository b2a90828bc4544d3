// What a payload of the log becomes on a terminal and as JSON: whoever can write the folder chooses its bytes.
#include "fuzz.h"
#include "log_show.h"
#include "openbook/base/utf8.h"

void openbook::fuzz::run(std::string_view input) {
  const std::vector<LogEntry> entries = {
      {{1, std::string(32, 'a'), std::string(64, 'b')}, LogKind::kSentence, 0, "key", std::string(input)}};
  const std::string shown = cli::records_text(entries);
  require(!first_invalid_utf8(shown), "what is shown is valid UTF-8");
  for (const char byte : shown) require(static_cast<uint8_t>(byte) >= 0x20 || byte == '\n', "what is shown holds no control");
  cli::records_json("a", entries, LogReport{}).dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}
