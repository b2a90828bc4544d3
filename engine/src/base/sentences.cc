// Sentence borders by rules: blocks first (paragraphs, items, headings, lines of code), then marks inside a block.
#include "openbook/base/sentences.h"

#include <algorithm>
#include <array>
#include <string>

#include "openbook/base/lines.h"
#include "openbook/base/utf8.h"

namespace openbook {
namespace {

// Lower case, without the last point. English, Spanish and German titles and short forms that stand before what they belong to.
constexpr std::array kNeverLast = {"mr",  "mrs",  "ms",  "sr",  "dr",   "prof", "rev", "hon", "gen",    "col", "capt",  "lt",
                                   "sgt", "sen",  "rep", "gov", "pres", "st",   "mt",  "ft",  "vs",     "cf",  "viz",   "ca",
                                   "sra", "srta", "dra", "ud",  "uds",  "hr",   "fr",  "bzw", "approx", "esp", "messrs"};
// Only before a number: "No. 5", "pp. 12", "Jan. 3"; elsewhere "no." and "art." are words that may end a sentence.
constexpr std::array kBeforeNumber = {"no",  "nos", "fig", "figs", "p",   "pp",   "vol", "art", "sec",
                                      "ch",  "eq",  "ed",  "nr",   "núm", "pág",  "jan", "feb", "mar",
                                      "apr", "jun", "jul", "aug",  "sep", "sept", "oct", "nov", "dec"};

template <size_t N>
bool holds(const std::array<const char*, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_mark(char32_t c) { return c == '.' || c == '!' || c == '?' || c == 0x2026 || c == 0x061F || c == 0x0964; }
bool is_full_width_mark(char32_t c) { return c == 0x3002 || c == 0xFF01 || c == 0xFF1F || c == 0xFF61; }

// Quotation marks, brackets and Markdown emphasis that still belong to the sentence whose mark they follow.
bool is_closer(char32_t c) {
  static constexpr std::u32string_view kClosers = U"\"')]}*_`\u00BB\u2019\u201D\u300B\u300D\u300F\u3011\uFF09";
  return kClosers.find(c) != std::u32string_view::npos;
}
bool is_opener(char32_t c) {
  static constexpr std::u32string_view kOpeners = U"\"'([{*_`\u00AB\u2018\u201C\u300A\u300C\u300E\u3010\uFF08";
  return kOpeners.find(c) != std::u32string_view::npos;
}

bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_lower(char32_t c) { return c < 0x80 ? c >= 'a' && c <= 'z' : is_letter_or_digit(c) && to_lower(c) == c && c < 0x2E80; }

class BlockSplitter {
 public:
  BlockSplitter(std::string_view text, ByteSpan block, std::vector<ByteSpan>& out)
      : text_(text), begin_(static_cast<size_t>(block.begin)), end_(static_cast<size_t>(block.end)), out_(out) {}

  void split() {
    size_t start = begin_;
    for (size_t at = begin_; at < end_;) {
      const CodePoint point = code_point_at(text_, at);
      at += point.length;
      if (!is_mark(point.value) && !is_full_width_mark(point.value)) continue;
      const size_t after = skip_marks(at);
      if (ends_here(start, point, after)) {
        emit(start, after);
        start = after;
      }
      at = after;
    }
    emit(start, end_);
  }

 private:
  size_t skip_marks(size_t at) const {
    while (at < end_) {
      const CodePoint point = code_point_at(text_, at);
      if (!is_mark(point.value) && !is_full_width_mark(point.value) && !is_closer(point.value)) break;
      at += point.length;
    }
    return at;
  }

  bool ends_here(size_t start, const CodePoint& mark, size_t after) const {
    if (is_full_width_mark(mark.value) || after >= end_) return true;
    if (!is_space(code_point_at(text_, after).value)) return false;
    const char32_t next = next_visible(after);
    if (is_lower(next)) return false;
    const bool lone_point = mark.value == '.' && after == mark.offset + 1;
    return !lone_point || !point_is_part_of_word(start, mark.offset, next);
  }

  // The first code point after blanks and openers; 0 at the end.
  char32_t next_visible(size_t at) const {
    while (at < end_) {
      const CodePoint point = code_point_at(text_, at);
      if (!is_space(point.value) && !is_opener(point.value)) return point.value;
      at += point.length;
    }
    return 0;
  }

  // Whether the point at `point` belongs to an abbreviation, an initial or a list number. `next` is what follows the blanks.
  bool point_is_part_of_word(size_t start, size_t point, char32_t next) const {
    size_t first = point;
    while (first > start && static_cast<uint8_t>(text_[first - 1]) > ' ') --first;
    while (first < point && is_opener(static_cast<uint8_t>(text_[first]))) ++first;
    const std::string_view word = text_.substr(first, point - first);
    if (word.empty() || first_invalid_utf8(word)) return false;
    if (std::all_of(word.begin(), word.end(), [](char c) { return is_digit(static_cast<uint8_t>(c)); }))
      return trim(text_, {static_cast<int64_t>(start), static_cast<int64_t>(first)}).empty();
    const std::string folded = fold_case(word);
    if (holds(kNeverLast, folded)) return true;
    if (holds(kBeforeNumber, folded) && is_digit(next)) return true;
    return is_initials(word) && folded != "a.m" && folded != "p.m";
  }

  // "J", "U.S", "e.g": single letters with points between; a lone letter only in upper case.
  static bool is_initials(std::string_view word) {
    bool letter_expected = true;
    size_t letters = 0;
    for (const CodePoint& point : code_points(word)) {
      const bool letter = point.value < 0x2E80 && is_letter_or_digit(point.value) && !is_digit(point.value);
      if (letter_expected ? !letter : point.value != '.') return false;
      letters += letter;
      letter_expected = !letter_expected;
    }
    return letters > 1 || (letters == 1 && !is_lower(code_point_at(word, 0).value));
  }

  void emit(size_t begin, size_t end) {
    const ByteSpan sentence = trim(text_, {static_cast<int64_t>(begin), static_cast<int64_t>(end)});
    if (!sentence.empty()) out_.push_back(sentence);
  }

  std::string_view text_;
  size_t begin_, end_;
  std::vector<ByteSpan>& out_;
};

}  // namespace

std::vector<ByteSpan> split_sentences(std::string_view text) {
  std::vector<ByteSpan> sentences;
  ByteSpan block{0, 0};
  const auto close = [&] {
    if (!block.empty()) BlockSplitter(text, block, sentences).split();
    block = {0, 0};
  };
  for (const Line& line : split_lines(text)) {
    if (line.kind == LineKind::kText && !block.empty()) {
      block.end = line.range.end;
      continue;
    }
    close();
    if (line.kind == LineKind::kText || line.kind == LineKind::kItem) block = line.range;
    if (line.kind == LineKind::kHeading || line.kind == LineKind::kVerbatim) sentences.push_back(trim(text, line.range));
  }
  close();
  return sentences;
}

}  // namespace openbook
