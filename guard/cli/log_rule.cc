#include "log_rule.h"

#include <algorithm>

#include "openbook/base/utf8.h"
#include "terminal.h"

namespace openbook::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string name_of(const std::optional<Delivery>& delivery) {
  return std::string(delivery ? delivery_name(*delivery) : "unknown");
}
std::string name_of(const std::optional<Outcome>& outcome) { return std::string(outcome ? outcome_name(*outcome) : "unknown"); }

std::string sentence_line(const RuledSentence& sentence) {
  std::string text = shown(sentence.text);
  std::replace(text.begin(), text.end(), '\n', ' ');
  text.erase(0, text.find_first_not_of(' '));
  const bool fine = sentence.delivery == Delivery::kDelivered;
  std::string line = "  " + paint(fine ? Style::kGood : Style::kBad, name_of(sentence.delivery)) + "  " + text;
  if (sentence.steered) line += "  (steered)";
  if (!sentence.reason.empty()) line += "  (" + escape_line(sentence.reason) + ")";
  return line + "\n";
}

}  // namespace

Json ruled_json(const RuledAnswer& ruled, const Policy& policy) {
  Json sentences = Json::array();
  for (const RuledSentence& sentence : ruled.sentences)
    sentences.push_back({{"text", sentence.text},
                         {"delivery", name_of(sentence.delivery)},
                         {"steered", sentence.steered},
                         {"reason", sentence.reason}});
  return {{"policy", policy.name},
          {"policy_fingerprint", policy.fingerprint()},
          {"outcome", name_of(ruled.outcome)},
          {"text", ruled.text},
          {"refusal_reason", ruled.reason},
          {"sentences", std::move(sentences)},
          {"not_known", ruled.not_known},
          {"recorded", {{"policy", ruled.recorded_policy}, {"outcome", outcome_name(ruled.recorded_outcome)}}}};
}

std::string ruled_text(const RuledAnswer& ruled, const Policy& policy) {
  std::string text = "recorded under " + escape_line(ruled.recorded_policy) + ": " +
                     std::string(outcome_name(ruled.recorded_outcome)) + "\nunder " + escape_line(policy.name) + ": " +
                     paint(Style::kStrong, name_of(ruled.outcome)) + "\n";
  if (!ruled.reason.empty()) text += "refused: " + escape_line(ruled.reason) + "\n";
  for (const RuledSentence& sentence : ruled.sentences) text += sentence_line(sentence);
  for (const std::string& what : ruled.not_known) text += "not known: " + escape_line(what) + "\n";
  return text;
}

}  // namespace openbook::cli
