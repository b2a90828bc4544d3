// An answer's parts as JSON, under one set of names: what `ask --format json` prints and what the provenance log keeps. Ranges
// are half-open UTF-8 bytes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/guard/answer.h"

namespace openbook::guard {

using Json = nlohmann::ordered_json;

Json to_json(ByteSpan span);
Json to_json(const Source& source);
Json to_json(const Passage& passage);  // without its text: that stands in the store, or with the caller
Json to_json(const TokenRecord& token);
Json to_json(const Word& word, std::string_view text);  // `text`: of the answer or attempt whose ranges it has
Json to_json(const Claim& claim, std::string_view text);
Json to_json(const Citation& citation);
Json to_json(const Sentence& sentence, std::string_view text);
Json to_json(const Conflict& conflict, const Answer& answer);
Json to_json(const Attempt& attempt);
// Outcome, text, reason, what was tried, claims and citations: what a reader of many answers wants.
Json brief(const Answer& answer);

template <typename T, typename... More>
Json list_of(const std::vector<T>& all, const More&... more) {
  Json json = Json::array();
  for (const T& each : all) json.push_back(to_json(each, more...));
  return json;
}

// Text of a model or a document may hold anything, and JSON must be made whatever it holds: what is not UTF-8 becomes U+FFFD.
std::string dump(const Json& json);

}  // namespace openbook::guard
