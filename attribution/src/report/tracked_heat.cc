#include "report/tracked_heat.h"

#include <algorithm>
#include <cmath>

#include "openbook/base/words.h"

namespace openbook::attribution {
namespace {

struct Place {
  std::vector<std::string> sets;
  bool copied;
};

const std::vector<Place>& places() {
  static const std::vector<Place> all = {{{"conflict"}, true},
                                         {{"conflict"}, true},
                                         {{"swap", "read"}, true},
                                         {{"read.es", "read.zh", "biographies.es", "biographies.zh"}, true},
                                         {{"conflict", "swap", "read"}, false}};
  return all;
}

}  // namespace

void HeatTexts::offer(const HeatOffer& offered, const ObservedCase& observed, const std::vector<float>& attention,
                      const engine::Tokenizer& tokenizer) {
  const std::string& question = observed.made.question;
  for (const Chosen& each : chosen_)
    if (each.question == question || (offered.copied && each.kind == offered.kind && !each.kind.empty())) return;
  for (size_t place = 0; place < places().size(); ++place) {
    const auto& [sets, copied] = places()[place];
    if (copied != offered.copied || std::find(sets.begin(), sets.end(), offered.set) == sets.end()) continue;
    if (std::any_of(chosen_.begin(), chosen_.end(), [&](const Chosen& each) { return each.place == place; })) continue;
    const std::string probability = std::to_string(std::lround(offered.probability_copied * 100));
    chosen_.push_back({place,
                       offered.set + ": " + question + " > " + offered.answer + " (" + (copied ? "copied" : "recited") +
                           ", p(copied) = " + probability + " %)",
                       offered.kind, question, shaded(observed, attention, tokenizer)});
    return;
  }
}

// A Chinese character may take several tokens, none of which is text by itself.
std::vector<HeatTexts::Shaded> HeatTexts::shaded(const ObservedCase& observed, const std::vector<float>& attention,
                                                 const engine::Tokenizer& tokenizer) {
  constexpr size_t kLongestCharacter = 4;  // bytes of UTF-8: what is longer and still invalid never becomes text
  std::vector<Shaded> tokens;
  bool open = false;
  for (size_t i = 0; i < attention.size(); ++i) {
    const std::string bytes =
        tokenizer.token_bytes(observed.prompt.tokens[static_cast<size_t>(observed.prompt.all_passages.begin) + i]);
    if (open) {
      tokens.back().text += bytes;
      tokens.back().attention = std::max(tokens.back().attention, attention[i]);
    } else {
      tokens.push_back({bytes, attention[i]});
    }
    const std::string& text = tokens.back().text;
    open = with_valid_utf8(text) != text && text.size() < kLongestCharacter * 2;
  }
  for (Shaded& token : tokens) token.text = with_valid_utf8(token.text);
  return tokens;
}

Json HeatTexts::charts() const {
  float most = 0;
  for (const Chosen& each : chosen_)
    for (const Shaded& token : each.tokens) most = std::max(most, token.attention);
  std::vector<const Chosen*> in_order;
  for (const Chosen& each : chosen_) in_order.push_back(&each);
  std::sort(in_order.begin(), in_order.end(), [](const Chosen* a, const Chosen* b) { return a->place < b->place; });
  Json charts = Json::array();
  for (const Chosen* each : in_order) {
    Json tokens = Json::array();
    for (const Shaded& token : each->tokens)
      tokens.push_back({token.text, most > 0 ? std::round(static_cast<double>(token.attention / most) * 1000) / 1000 : 0});
    charts.push_back({{"kind", "heat_text"}, {"title", each->title}, {"tokens", std::move(tokens)}});
  }
  return charts;
}

}  // namespace openbook::attribution
