#include "judge/quote.h"

#include <algorithm>
#include <numeric>

namespace openbook::guard {
namespace {

float attention_on(const engine::Prompt& prompt, const std::vector<float>& attention, const Source& source) {
  float sum = 0;
  for (size_t i = 0; i < attention.size(); ++i) {
    const engine::TokenSource& token = prompt.sources[prompt.all_passages.begin + i];
    if (token.passage == source.passage && token.range.overlaps(source.range)) sum += attention[i];
  }
  return sum;
}

}  // namespace

std::vector<Occurrence> find_quotes(std::span<const TextWord> claim, const std::vector<ReadPassage>& passages,
                                    const engine::Prompt& prompt, const std::vector<float>& attention) {
  std::vector<Occurrence> found;
  const float total = std::accumulate(attention.begin(), attention.end(), 0.0f);
  for (size_t p = 0; p < passages.size(); ++p) {
    for (const ByteSpan& place : passages[p].find(claim)) {
      const Source source{static_cast<int32_t>(p), place};
      found.push_back({source, total > 0 ? attention_on(prompt, attention, source) / total : 0});
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Occurrence& a, const Occurrence& b) { return a.attention > b.attention; });
  return found;
}

std::optional<Source> most_attended(const engine::Prompt& prompt, const std::vector<float>& attention) {
  const auto most = std::max_element(attention.begin(), attention.end());
  if (most == attention.end() || *most <= 0) return std::nullopt;
  const engine::TokenSource& token = prompt.sources[prompt.all_passages.begin + (most - attention.begin())];
  return Source{token.passage, token.range};
}

}  // namespace openbook::guard
