// Text cut into lines, sentences and words: documents, questions and answers. The input is the text, a separator, and a piece to
// be found in it.
#include "fuzz.h"
#include "openbook/base/language.h"
#include "openbook/base/lines.h"
#include "openbook/base/sentences.h"
#include "openbook/base/words.h"

void openbook::fuzz::run(std::string_view input) {
  const auto parts = pieces(input, 2);
  const std::string text = with_valid_utf8(std::string(parts[0])), piece = with_valid_utf8(std::string(parts[1]));
  std::vector<ByteSpan> words;
  for (const WordSpan& word : split_words(text)) words.push_back(word.bytes);
  require_in_order(text, words);
  require_in_order(text, split_sentences(text));
  folded_words(text);
  language_of(text);
  for (const ByteSpan found : find_words(text, piece)) require_in_order(text, {found});
  replace_words(text, piece, "x");
  const std::vector<Line> lines = split_lines(text);
  for (const Line& line : lines) {
    require(0 <= line.range.begin && line.range.begin <= line.range.end && line.range.end <= static_cast<int64_t>(text.size()),
            "lines lie in the text");
    heading_mark(text, line);
    trim(text, line.range);
    for (const char* format : {"text", "markdown"}) context_above(text, format, lines, line.range.begin);
  }
}
