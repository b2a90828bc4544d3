// What `openbook log show` prints of an answer's records.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "openbook/guard/provenance_log.h"

namespace openbook::cli {

// Payloads are JSON where they can be read as such, else text. `log` is what verify() says of the whole log.
nlohmann::ordered_json records_json(const std::string& answer_id, const std::vector<LogEntry>& entries, const LogReport& log);

// For people: without the tokens' evidence, ranges of the answer shown as the text they cover.
std::string records_text(const std::vector<LogEntry>& entries);

}  // namespace openbook::cli
