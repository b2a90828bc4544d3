#include "text/text_word.h"

#include <algorithm>
#include <utility>

#include "openbook/base/sentences.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"
#include "text/writing.h"

namespace openbook::guard {
namespace {

// "US", "WHO": two letters at least, and no small one.
bool is_acronym(std::string_view word) {
  const std::vector<CodePoint> points = code_points(word);
  return points.size() > 1 &&
         std::all_of(points.begin(), points.end(), [](const CodePoint& point) { return to_lower(point.value) != point.value; });
}

// A headline in capitals spells no names.
bool has_small_letters(std::string_view text, const std::vector<WordSpan>& words) {
  return std::any_of(words.begin(), words.end(), [&](const WordSpan& word) {
    return !word.punctuation && !is_acronym(slice(text, word.bytes)) && code_points(slice(text, word.bytes)).size() > 1;
  });
}

}  // namespace

std::vector<TextWord> read_words(std::string_view text, Language language) {
  const std::vector<WordSpan> spans = split_words(text);
  const bool names_show = has_small_letters(text, spans);
  std::vector<TextWord> words;
  words.reserve(spans.size());
  const std::vector<ByteSpan> sentences = split_sentences(text);
  auto sentence = sentences.begin();
  bool begins = false;
  for (const WordSpan& span : spans) {
    for (; sentence != sentences.end() && sentence->begin <= span.bytes.begin; ++sentence) begins = true;
    TextWord word{.bytes = span.bytes, .written = std::string(slice(text, span.bytes)), .punctuation = span.punctuation};
    word.folded = fold_case(word.written);
    if (!span.punctuation) {
      word.begins_sentence = std::exchange(begins, false);
      word.spelt_as_name = names_show && has_capital(word.written) && is_function_word(word.folded, language) &&
                           (!word.begins_sentence || is_acronym(word.written));
    }
    words.push_back(std::move(word));
  }
  return words;
}

bool same_word(const TextWord& a, const TextWord& b) {
  if (a.punctuation != b.punctuation || a.folded != b.folded) return false;
  return a.spelt_as_name || b.spelt_as_name ? a.written == b.written : true;
}

}  // namespace openbook::guard
