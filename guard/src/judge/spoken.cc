#include "judge/spoken.h"

#include <algorithm>

#include "openbook/base/lines.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"

namespace openbook::guard {
namespace {

// Takes `piece` out of the text.
void erase(ByteSpan piece, Spoken& spoken) {
  spoken.text.erase(static_cast<size_t>(piece.begin), static_cast<size_t>(piece.size()));
  const auto moved = [&](int64_t byte) { return byte <= piece.begin ? byte : std::max(piece.begin, byte - piece.size()); };
  for (ByteSpan& span : spoken.token_bytes) span = {moved(span.begin), moved(span.end)};
}

}  // namespace

void drop_heading_mark(Spoken& spoken) {
  const std::vector<Line> lines = split_lines(spoken.text);
  const auto line = std::find_if(lines.begin(), lines.end(), [](const Line& each) { return each.kind != LineKind::kBlank; });
  if (line == lines.end()) return;
  ByteSpan mark = heading_mark(spoken.text, *line);
  if (mark.empty()) return;
  mark.end = std::min(spoken.text.find_first_not_of(" \t", static_cast<size_t>(mark.end)), spoken.text.size());
  erase(mark, spoken);
}

void begin_sentence(Spoken& spoken) {
  erase({0, static_cast<int64_t>(std::min(spoken.text.find_first_not_of(" \t\n\r"), spoken.text.size()))}, spoken);
  const std::vector<WordSpan> words = split_words(spoken.text);
  if (words.empty() || words[0].bytes.begin != 0) return;
  const std::string word(slice(spoken.text, words[0].bytes));
  char& first = spoken.text[0];
  if (first >= 'a' && first <= 'z' && word == fold_case(word)) first = static_cast<char>(first - 'a' + 'A');
}

}  // namespace openbook::guard
