#include "openbook/base/words.h"

#include <unicode/uchar.h>

#include "dictionary_words.h"
#include "number_form.h"
#include "openbook/base/utf8.h"

namespace openbook {
namespace {

constexpr char32_t kZeroWidthSpace = 0x200B, kNumero = 0x2116;

enum class Kind {
  kBlank,       // and what a reader doesn't see
  kMark,        // punctuation
  kLetter,      // of words that blanks or marks end; digits too
  kMoreOfWord,  // a combining mark
  kIdeograph,   // a word of its own
  kDictionary,  // of a script whose words a dictionary knows
};

bool is_digit(char32_t value) { return value < 0x80 ? value >= '0' && value <= '9' : u_isdigit(static_cast<UChar32>(value)); }

bool is_kana_mark(char32_t value) { return value == 0x3099 || value == 0x309A || value == 0xFF9E || value == 0xFF9F; }
bool is_unit_sign(char32_t value) { return (value >= 0x3371 && value <= 0x33DF) || value == 0x33FF; }  // ㎏, ㎡

bool is_ideograph(char32_t value) {
  return (value >= 0x3005 && value <= 0x3007) || (value >= 0x3040 && value <= 0x30FF) || (value >= 0xFF66 && value <= 0xFF9D) ||
         u_hasBinaryProperty(static_cast<UChar32>(value), UCHAR_IDEOGRAPHIC);
}

Kind kind_of(char32_t value) {
  if (is_space(value)) return Kind::kBlank;
  if (value < 0x80) return is_letter_or_digit(value) ? Kind::kLetter : Kind::kMark;
  if (is_ignorable(value)) return Kind::kBlank;
  if (needs_dictionary(value)) return Kind::kDictionary;
  if (is_kana_mark(value)) return Kind::kMoreOfWord;
  if (is_unit_sign(value) || value == kNumero) return Kind::kLetter;
  if (!is_letter_or_digit(value)) return Kind::kMark;
  if (value >= 0x3005 && is_ideograph(value)) return Kind::kIdeograph;
  return U_MASK(u_charType(static_cast<UChar32>(value))) & U_GC_M_MASK ? Kind::kMoreOfWord : Kind::kLetter;
}

class WordSplitter {
 public:
  explicit WordSplitter(std::string_view text) : text_(text) {}

  std::vector<WordSpan> split() {
    while (at_ < text_.size()) {
      const size_t begin = at_;
      const Point first = read(at_);
      at_ = first.end;
      switch (first.kind) {
        case Kind::kBlank:
          break;
        case Kind::kMark:
          emit(begin, true);
          break;
        case Kind::kIdeograph:
          skip_marks();
          emit(begin, false);
          break;
        case Kind::kDictionary:
          split_run(begin);
          break;
        case Kind::kLetter:
        case Kind::kMoreOfWord:
          skip_word(begin, first.value);
          emit(begin, false);
          break;
      }
    }
    return std::move(spans_);
  }

 private:
  struct Point {
    char32_t value = 0;
    size_t end = 0;  // one past it
    Kind kind = Kind::kBlank;
  };

  Point read(size_t at) const {
    if (at >= text_.size()) return {0, at, Kind::kBlank};
    const auto byte = static_cast<uint8_t>(text_[at]);
    if (byte < 0x80) return {byte, at + 1, kind_of(byte)};
    const CodePoint point = code_point_at(text_, at);
    return {point.value, at + point.length, kind_of(point.value)};
  }

  // What stands behind characters that a reader doesn't see.
  Point read_past_ignorable(size_t at) const {
    Point point = read(at);
    while (point.kind == Kind::kBlank && is_ignorable(point.value)) point = read(point.end);
    return point;
  }

  void skip_marks() {
    for (Point next = read_past_ignorable(at_); next.kind == Kind::kMoreOfWord; next = read_past_ignorable(at_)) at_ = next.end;
  }

  void split_run(size_t begin) {
    for (;;) {
      const Point next = read(at_);
      // A zero-width space shows where a word ends.
      const bool unseen = is_ignorable(next.value) && next.value != kZeroWidthSpace;
      if (next.kind == Kind::kDictionary || (unseen && read_past_ignorable(at_).kind == Kind::kDictionary))
        at_ = next.end;
      else
        break;
    }
    size_t word = begin;
    for (const size_t end : dictionary_word_ends(text_.substr(begin, at_ - begin))) {
      spans_.push_back({{static_cast<int64_t>(word), static_cast<int64_t>(begin + end)}, false});
      word = begin + end;
    }
  }

  void skip_word(size_t begin, char32_t first) {
    char32_t before = first;
    if (is_digit(before)) at_ = number_end(text_, begin);
    for (;;) {
      const Point next = read_past_ignorable(at_);
      const bool more = next.kind == Kind::kLetter || next.kind == Kind::kMoreOfWord;
      if (!more && !joins(before, next)) return;
      // A number within a word: the digits of "A12,500".
      at_ = more && is_digit(next.value) && !is_digit(before) ? number_end(text_, next.end - length(next)) : next.end;
      before = next.value;
    }
  }

  static size_t length(const Point& point) {
    return point.value < 0x80 ? 1 : point.value < 0x800 ? 2 : point.value < 0x10000 ? 3 : 4;
  }

  // Whether the apostrophe `mark` belongs to the word that it stands in: don't, not the 's of a possessive, since "Paris's" names
  // Paris.
  bool joins(char32_t before, const Point& mark) const {
    if ((mark.value != '\'' && mark.value != 0x2019) || is_digit(before)) return false;
    const Point after = read(mark.end);
    if (after.kind != Kind::kLetter || is_digit(after.value)) return false;
    if (after.value != 's' && after.value != 'S') return true;
    const Kind behind = read_past_ignorable(after.end).kind;
    return behind == Kind::kLetter || behind == Kind::kMoreOfWord;
  }

  void emit(size_t begin, bool punctuation) {
    spans_.push_back({{static_cast<int64_t>(begin), static_cast<int64_t>(at_)}, punctuation});
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<WordSpan> spans_;
};

}  // namespace

std::vector<WordSpan> split_words(std::string_view valid_utf8) { return WordSplitter(valid_utf8).split(); }

std::vector<std::string> folded_words(std::string_view valid_utf8) {
  std::vector<std::string> words;
  for (const WordSpan& span : split_words(valid_utf8))
    if (!span.punctuation) words.push_back(fold_case(slice(valid_utf8, span.bytes)));
  return words;
}

std::string with_valid_utf8(std::string text) {
  while (const auto bad = first_invalid_utf8(text)) text[*bad] = '?';
  return text;
}

}  // namespace openbook
