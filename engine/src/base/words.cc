#include "openbook/base/words.h"

#include <algorithm>

#include "openbook/base/utf8.h"

namespace openbook {
namespace {

bool is_ideograph(char32_t value) {
  return (value >= 0x3040 && value <= 0x30FF) || (value >= 0x3400 && value <= 0x4DBF) || (value >= 0x4E00 && value <= 0x9FFF) ||
         (value >= 0xF900 && value <= 0xFAFF) || (value >= 0x20000 && value <= 0x3134F);
}

bool is_digit(char32_t value) { return value >= '0' && value <= '9'; }

// Whether the mark at `i`, standing between two code points of words, belongs to the word: don't, 3.5, 1,000; not the 's of a
// possessive, since "Paris's" names Paris.
bool joins(const std::vector<CodePoint>& points, size_t i) {
  const char32_t before = points[i - 1].value, mark = points[i].value, after = points[i + 1].value;
  if (mark == '.' || mark == ',') return is_digit(before) && is_digit(after);
  if (mark != '\'' && mark != 0x2019) return false;
  const bool possessive = (after == 's' || after == 'S') && (i + 2 == points.size() || !is_letter_or_digit(points[i + 2].value));
  return !possessive && !is_digit(before) && !is_digit(after);
}

}  // namespace

std::vector<WordSpan> split_words(std::string_view valid_utf8) {
  const std::vector<CodePoint> points = code_points(valid_utf8);
  const auto in_word = [&](size_t i) { return i < points.size() && is_letter_or_digit(points[i].value); };
  std::vector<WordSpan> spans;
  for (size_t i = 0; i < points.size();) {
    const auto begin = static_cast<int64_t>(points[i].offset);
    size_t next = i + 1;
    if (!in_word(i)) {
      if (!is_space(points[i].value)) spans.push_back({{begin, begin + static_cast<int64_t>(points[i].length)}, true});
      i = next;
      continue;
    }
    if (!is_ideograph(points[i].value)) {
      while (next < points.size() && !is_ideograph(points[next].value) &&
             (in_word(next) || (in_word(next + 1) && joins(points, next))))
        ++next;
    }
    spans.push_back({{begin, static_cast<int64_t>(points[next - 1].offset + points[next - 1].length)}, false});
    i = next;
  }
  return spans;
}

std::vector<std::string> folded_words(std::string_view valid_utf8) {
  std::vector<std::string> words;
  for (const WordSpan& span : split_words(valid_utf8))
    if (!span.punctuation) words.push_back(fold_case(slice(valid_utf8, span.bytes)));
  return words;
}

std::vector<ByteSpan> find_words(std::string_view text, std::string_view piece) {
  const std::vector<std::string> wanted = folded_words(piece);
  std::vector<ByteSpan> found;
  if (wanted.empty()) return found;
  std::vector<std::string> words;
  std::vector<ByteSpan> bytes;
  for (const WordSpan& span : split_words(text)) {
    if (span.punctuation) continue;
    words.push_back(fold_case(slice(text, span.bytes)));
    bytes.push_back(span.bytes);
  }
  for (auto at = words.begin(); (at = std::search(at, words.end(), wanted.begin(), wanted.end())) != words.end(); ++at) {
    const size_t first = at - words.begin();
    found.push_back({bytes[first].begin, bytes[first + wanted.size() - 1].end});
  }
  return found;
}

std::string replace_words(std::string_view text, std::string_view piece, std::string_view with) {
  std::string replaced;
  int64_t done = 0;
  for (const ByteSpan& place : find_words(text, piece)) {
    if (place.begin < done) continue;
    replaced += slice(text, {done, place.begin});
    replaced += with;
    done = place.end;
  }
  return replaced += text.substr(done);
}

std::string with_valid_utf8(std::string text) {
  while (const auto bad = first_invalid_utf8(text)) text[*bad] = '?';
  return text;
}

}  // namespace openbook
