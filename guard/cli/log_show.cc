#include "log_show.h"

#include <algorithm>
#include <cstdio>

#include "openbook/base/utf8.h"
#include "terminal.h"

namespace openbook::cli {
namespace {

using Json = nlohmann::ordered_json;

Json parsed(const LogEntry& entry) {
  if (!entry.payload) return nullptr;
  Json json = Json::parse(*entry.payload, nullptr, false);
  return json.is_discarded() ? Json(*entry.payload) : json;
}

bool is_range(const Json& value) {
  return value.is_array() && value.size() == 2 && value[0].is_number_integer() && value[1].is_number_integer();
}

std::string scalar(const Json& value) {
  if (value.is_string()) return shown(value.get_ref<const std::string&>(), 6);
  if (is_range(value)) return std::to_string(value[0].get<int64_t>()) + "-" + std::to_string(value[1].get<int64_t>());
  if (!value.is_number_float()) return shown(value.dump(-1, ' ', false, Json::error_handler_t::replace), 6);
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.4g", value.get<double>());
  return digits;
}

bool says_nothing(const Json& value) {
  return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty());
}

// The judgement of an attempt in short: its claims with their verdicts; of other lists how many there are.
std::string list_in_line(const Json& list) {
  std::string line;
  for (const Json& item : list) {
    if (!item.is_object() || !item.contains("text") || !item.contains("verdict")) return std::to_string(list.size());
    line += (line.empty() ? "" : ", ") + ("\"" + scalar(item["text"]) + "\" ") + scalar(item["verdict"]);
  }
  return "(" + line + ")";
}

// One line, whatever line feeds its values hold; inner objects in parentheses. Words and claims begin with their text instead of
// its place.
std::string one_line(const Json& item) {
  const bool of_text = item.is_object() && item.contains("text") && item.contains("bytes") && item["text"].is_string();
  std::string line = of_text            ? "\"" + shown(item["text"].get_ref<const std::string&>()) + "\""
                     : item.is_object() ? ""
                                        : scalar(item);
  if (item.is_object()) {
    for (const auto& [key, value] : item.items()) {
      if (key == "evidence" || key == "tokens" || says_nothing(value) || (of_text && (key == "text" || key == "bytes"))) continue;
      const bool list = value.is_array() && !is_range(value);
      if (list && (value.empty() || key == "words")) continue;  // --format json has every word
      line += (line.empty() ? "" : ", ") + escape_line(key) + " " +
              (value.is_object() ? "(" + one_line(value) + ")" : list ? list_in_line(value) : scalar(value));
    }
  }
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

std::string field_text(const std::string& key, const Json& value) {
  if (says_nothing(value)) return "";
  if (!value.is_array() || is_range(value)) return "    " + escape_line(key) + "  " + scalar(value) + "\n";
  if (value.empty()) return "";
  if (key == "tokens") return "    tokens  " + std::to_string(value.size()) + ", each with its evidence under --format json\n";
  std::string text = "    " + escape_line(key) + "\n";
  for (const Json& item : value) text += "      " + one_line(item) + "\n";
  return text;
}

}  // namespace

Json records_json(const std::string& answer_id, const std::vector<LogEntry>& entries, const LogReport& log) {
  Json records = Json::array();
  for (const LogEntry& entry : entries)
    records.push_back({{"sequence", entry.receipt.sequence},
                       {"kind", log_kind_name(entry.kind)},
                       {"time", time_text(entry.time_ms)},
                       {"time_ms", entry.time_ms},
                       {"receipt", to_string(entry.receipt)},
                       {"key_id", entry.key_id},
                       {"checked", entry.checked},
                       {"erased", !entry.payload.has_value()},
                       {"payload", parsed(entry)}});
  return {{"answer_id", answer_id},
          {"checked", log.state == LogState::kWhole},
          {"unchecked_because", log.finding},
          {"records", std::move(records)}};
}

std::string records_text(const std::vector<LogEntry>& entries) {
  std::string text;
  for (const LogEntry& entry : entries) {
    text += paint(Style::kStrong, std::string(log_kind_name(entry.kind))) + "  " + time_text(entry.time_ms) + "  record " +
            std::to_string(entry.receipt.sequence) + "\n";
    text += paint(Style::kFaint, "    receipt  " + escape_line(to_string(entry.receipt))) + "\n";
    const Json payload = parsed(entry);
    if (!entry.payload) text += "    erased\n";
    if (payload.is_object())
      for (const auto& [key, value] : payload.items()) text += field_text(key, value);
    else if (entry.payload && !entry.payload->empty())
      text += "    " + shown(*entry.payload, 4) + "\n";
  }
  return text;
}

}  // namespace openbook::cli
