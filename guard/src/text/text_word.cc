#include "text/text_word.h"

#include <algorithm>
#include <utility>

#include "openbook/base/sentences.h"
#include "openbook/base/utf8.h"
#include "openbook/base/values.h"
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

void mark_values(std::vector<TextWord>& words, const std::vector<Value>& values) {
  auto value = values.begin();
  TextWord* first = nullptr;
  for (TextWord& word : words) {
    while (value != values.end() && value->bytes.end <= word.bytes.begin) ++value;
    if (value == values.end() || !value->bytes.overlaps(word.bytes)) continue;
    if (value->bytes.begin >= word.bytes.begin) {
      first = &word;
      first->value = value->normal;
    } else if (first) {
      word.within_value = true;
    }
    if (first) ++first->value_words;
  }
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
  mark_values(words, find_values(text, language));
  return words;
}

bool same_word(const TextWord& a, const TextWord& b) {
  if (a.punctuation != b.punctuation || a.folded != b.folded) return false;
  return a.spelt_as_name || b.spelt_as_name ? a.written == b.written : true;
}

std::vector<TextWord> with_values(std::span<const TextWord> words) {
  std::vector<TextWord> joined;
  for (size_t i = 0; i < words.size(); ++i) {
    TextWord word = words[i];
    if (word.value_words > 0 && i + word.value_words <= words.size()) {
      i += word.value_words - 1;
      word.bytes.end = words[i].bytes.end;
      word.folded = word.value;
      word.spelt_as_name = false;
    }
    joined.push_back(std::move(word));
  }
  return joined;
}

std::vector<std::string> comparable_words(std::string_view text) {
  std::vector<std::string> words = folded_words(text);
  for (const Value& value : find_values(text, language_of(text))) {
    words.push_back(value.normal);
    if (value.kind != Value::Kind::kDay || value.normal.starts_with('-')) continue;
    words.push_back("-" + value.normal.substr(4));  // "--05-09"
    words.push_back(value.normal.substr(0, 7));     // "2001-05"
  }
  return words;
}

}  // namespace openbook::guard
