// Sentence borders by rules: blocks first (paragraphs, items, headings, lines of code), then marks inside a block.
#include "openbook/base/sentences.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <string>

#include "abbreviations.h"
#include "months.h"
#include "openbook/base/language.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"

namespace openbook {
namespace {

// The end of a sentence in any script: Unicode's STerm, which Khmer's marks joined late.
bool is_mark(char32_t c) {
  if (c < 0x80) return c == '.' || c == '!' || c == '?';
  return c == 0x2026 || c == 0x17D4 || c == 0x17D5 || u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_S_TERM);
}

// Marks that end a sentence although no blank follows: those of Chinese, Japanese, and the scripts of India and its neighbours.
bool ends_without_blank(char32_t c) { return c == 0x3002 || c >= 0xFF01 || (c >= 0x0900 && c < 0x2000); }

// Quotation marks, brackets and Markdown emphasis that still belong to the sentence whose mark they follow.
bool is_closer(char32_t c) {
  static constexpr std::u32string_view kClosers = U"\"')]}*_`\u00BB\u2019\u201D\u300B\u300D\u300F\u3011\uFF09";
  return kClosers.find(c) != std::u32string_view::npos;
}
bool is_opener(char32_t c) {
  static constexpr std::u32string_view kOpeners = U"\"'([{*_`\u00AB\u2018\u201C\u300A\u300C\u300E\u3010\uFF08";
  return kOpeners.find(c) != std::u32string_view::npos;
}

bool is_digit(char32_t c) { return c < 0x80 ? c >= '0' && c <= '9' : u_isdigit(static_cast<UChar32>(c)); }
bool is_lower(char32_t c) { return c < 0x80 ? c >= 'a' && c <= 'z' : u_islower(static_cast<UChar32>(c)); }
bool is_upper(char32_t c) { return c < 0x80 ? c >= 'A' && c <= 'Z' : u_isupper(static_cast<UChar32>(c)); }

bool all_digits(std::string_view word) {
  return std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_roman(std::string_view word) { return word.find_first_not_of("IVXLC") == std::string_view::npos; }

// "J", "U.S", "e.g": single letters with points between; a lone letter only in upper case.
bool is_initials(std::string_view word) {
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

// "Aug" of "August": a month's name, or as much of it as has come. Short forms and beginnings have at least three letters.
bool is_month(std::string_view word, bool may_go_on) {
  const std::string folded = fold_case(word);
  if (month_in_any_language(folded) != 0 || (folded.size() >= 3 && month_in(folded, Language::kEnglish) != 0)) return true;
  return may_go_on && folded.size() >= 3 && begins_month(folded);
}

class BlockSplitter {
 public:
  // `growing`: more may come behind the block, so that its last word may be the beginning of another one.
  BlockSplitter(std::string_view text, ByteSpan block, std::vector<ByteSpan>& out, bool growing = false)
      : text_(text),
        begin_(static_cast<size_t>(block.begin)),
        end_(static_cast<size_t>(block.end)),
        out_(out),
        growing_(growing) {}

  void split() {
    start_ = begin_;
    for (size_t at = begin_; at < end_;) {
      const CodePoint point = code_point_at(text_, at);
      at += point.length;
      if (!is_mark(point.value)) continue;
      const size_t after = skip_marks(at);
      if (ends_here(point, after)) {
        emit(start_, after);
        start_ = after;
      }
      at = after;
    }
    emit(start_, end_);
  }

 private:
  // What follows a mark and its blanks.
  struct Next {
    char32_t first = 0;         // 0 at the end
    std::string_view word;      // empty where no word begins
    bool may_go_on = false;     // the text ends with it, and may grow
    bool before_point = false;  // "J. R. Vane": the second initial
  };

  size_t skip_marks(size_t at) const {
    while (at < end_) {
      const CodePoint point = code_point_at(text_, at);
      if (const size_t note = footnote_end(at); note > at) {
        at = note;
        continue;
      }
      if (!is_mark(point.value) && !is_closer(point.value)) break;
      at += point.length;
    }
    return at;
  }

  // One past "[12]" or a raised figure at `at`; `at` where none stands.
  size_t footnote_end(size_t at) const {
    if (text_[at] == '[') {
      const size_t close = text_.find_first_not_of("0123456789", at + 1);
      return close < end_ && close > at + 1 && text_[close] == ']' ? close + 1 : at;
    }
    const CodePoint point = code_point_at(text_, at);
    const bool raised =
        point.value == 0xB9 || point.value == 0xB2 || point.value == 0xB3 || (point.value >= 0x2070 && point.value <= 0x2079);
    return raised ? at + point.length : at;
  }

  bool ends_here(const CodePoint& mark, size_t after) const {
    if (after >= end_) return true;
    if (mark.value == 0xFF0E && is_digit(code_point_at(text_, after).value) && is_digit(point_before(mark.offset))) return false;
    if (ends_without_blank(mark.value)) return true;
    if (!is_space(code_point_at(text_, after).value)) return false;
    const Next next = read_next(after);
    if (is_lower(next.first)) return false;
    const bool lone_point = mark.value == '.' && after == mark.offset + 1;
    return !lone_point || !point_is_part_of_word(mark.offset, next);
  }

  Next read_next(size_t at) const {
    Next next;
    while (at < end_) {
      const CodePoint point = code_point_at(text_, at);
      if (!is_space(point.value) && !is_opener(point.value)) break;
      at += point.length;
    }
    if (at >= end_) return next;
    next.first = code_point_at(text_, at).value;
    size_t end = at;
    while (end < end_) {
      const CodePoint point = code_point_at(text_, end);
      if (!is_letter_or_digit(point.value) && point.value != '\'' && point.value != 0x2019) break;
      end += point.length;
    }
    next.word = text_.substr(at, end - at);
    next.may_go_on = growing_ && end == end_;
    next.before_point = end < end_ && text_[end] == '.';
    return next;
  }

  size_t begin_of_point_before(size_t at) const {
    while (--at > start_ && (static_cast<uint8_t>(text_[at]) & 0xC0) == 0x80) continue;
    return at;
  }

  char32_t point_before(size_t at) const { return at > start_ ? code_point_at(text_, begin_of_point_before(at)).value : 0; }

  // What stands before `end` without a blank, and without brackets and quotation marks in front.
  std::string_view word_before(size_t end) const {
    size_t first = end;
    while (first > start_ && !is_space(point_before(first))) first = begin_of_point_before(first);
    while (first < end) {
      const CodePoint point = code_point_at(text_, first);
      if (!is_opener(point.value)) break;
      first += point.length;
    }
    return text_.substr(first, end - first);
  }

  std::string_view word_in_front(std::string_view word) const {
    const ByteSpan rest = trim(text_, {static_cast<int64_t>(start_), word.data() - text_.data()});
    return word_before(static_cast<size_t>(std::max(rest.begin, rest.end)));
  }

  bool begins(std::string_view word) const {
    return trim(text_, {static_cast<int64_t>(start_), word.data() - text_.data()}).empty();
  }

  // Whether the point at `point` belongs to an abbreviation, an initial, a list number or an ordinal.
  bool point_is_part_of_word(size_t point, const Next& next) const {
    const std::string_view word = word_before(point);
    if (word.empty()) return false;
    if (all_digits(word)) return begins(word) || is_ordinal(word, next);
    if (is_initials(word) && word.find('.') == std::string_view::npos) return !opens(next, true) || begins(word);
    switch (abbreviation(fold_case(word))) {
      case Abbreviation::kNeverLast:
        return true;
      case Abbreviation::kBeforeLabel:
        return is_digit(next.first) ||
               (!next.word.empty() && (is_roman(next.word) || (next.word.size() == 1 && is_upper(next.first))));
      case Abbreviation::kBeforeNumber:
        return is_digit(next.first) || is_part_of_pair(word, next);
      case Abbreviation::kEither:
        return !opens(next, false);
      case Abbreviation::kNone:
        break;
    }
    return is_initials(word) ? !opens(next, false) : is_part_of_pair(word, next);
  }

  // "3. August" anywhere, "der 2. Weltkrieg" in German.
  bool is_ordinal(std::string_view number, const Next& next) const {
    if (number.size() > 2 || !is_upper(next.first)) return false;
    if (is_month(next.word, next.may_go_on)) return true;
    const std::string_view article = word_in_front(number);
    const auto before = static_cast<size_t>(article.data() - text_.data());
    return comes_before_german_ordinal(fold_case(article)) &&
           language_of(text_.substr(start_, before - start_)) != Language::kEnglish;  // "I am 3. He is 5."
  }

  // "z. B.", "a. C.", "v. Chr.": a small letter and what it is written with; the "h." of "d. h.", too.
  bool is_part_of_pair(std::string_view word, const Next& next) const {
    if (word.size() != 1 || !is_lower(static_cast<uint8_t>(word[0]))) return false;
    if ((next.before_point && next.word.size() == 1) || next.word == "Chr" || (next.may_go_on && next.word == "Ch")) return true;
    const std::string_view front = word_in_front(word);
    return front.size() == 2 && front[1] == '.' && is_lower(static_cast<uint8_t>(front[0])) && !opens(next, false);
  }

  // Whether a sentence begins with what is next. A short word that may go on may become a name: "He" of "Henderson".
  static bool opens(const Next& next, bool behind_initial) {
    if (next.word.empty()) return next.first == 0;
    const std::string folded = fold_case(next.word);
    if (next.before_point || (next.may_go_on && (behind_initial || folded.size() < 3))) return false;
    return opens_sentences(folded) && !(behind_initial && is_name_particle(folded));
  }

  void emit(size_t begin, size_t end) {
    const ByteSpan sentence = trim(text_, {static_cast<int64_t>(begin), static_cast<int64_t>(end)});
    if (!sentence.empty()) out_.push_back(sentence);
  }

  std::string_view text_;
  size_t begin_, end_;
  std::vector<ByteSpan>& out_;
  bool growing_;
  size_t start_ = 0;  // of the sentence that is being read
};

// What split_sentences returns.
std::vector<ByteSpan> split(std::string_view text, const std::vector<Line>& lines, const std::vector<ByteSpan>& visible) {
  std::vector<ByteSpan> sentences;
  size_t next = 0;  // of `visible`
  const auto read = [&](ByteSpan block, bool whole) {
    while (next < visible.size() && visible[next].end <= block.begin) ++next;
    for (size_t i = next; i < visible.size() && visible[i].begin < block.end; ++i) {
      const ByteSpan seen{std::max(block.begin, visible[i].begin), std::min(block.end, visible[i].end)};
      if (!whole)
        BlockSplitter(text, seen, sentences).split();
      else if (const ByteSpan words = trim(text, seen); !words.empty())
        sentences.push_back(words);
    }
  };
  ByteSpan block{0, 0};
  const auto close = [&] {
    if (!block.empty()) read(block, false);
    block = {0, 0};
  };
  for (size_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    if (line.kind == LineKind::kText && !block.empty()) {
      block.end = line.range.end;
      continue;
    }
    close();
    if (line.kind == LineKind::kText || line.kind == LineKind::kItem) block = line.range;
    if (line.kind == LineKind::kTableRow || line.kind == LineKind::kVerbatim) read(line.range, true);
    if (line.kind != LineKind::kHeading) continue;
    const bool underlined = i + 1 < lines.size() && lines[i + 1].kind == LineKind::kUnderline;
    read({line.range.begin, lines[underlined ? i + 1 : i].range.end}, true);
  }
  close();
  return sentences;
}

}  // namespace

std::vector<ByteSpan> split_sentences(std::string_view text) {
  return split(text, split_lines(text), {{0, static_cast<int64_t>(text.size())}});
}

std::vector<ByteSpan> split_sentences(std::string_view text, const std::vector<Line>& lines,
                                      const std::vector<ByteSpan>& visible) {
  return split(text, lines, visible);
}

bool begins_new_sentence(std::string_view text, std::string_view next) {
  const std::string joined = with_valid_utf8(std::string(text) + std::string(next));
  const std::vector<ByteSpan> sentences = split_sentences(joined);
  if (sentences.size() < 2 || sentences.back().begin < static_cast<int64_t>(text.size())) return false;
  const ByteSpan before = sentences[sentences.size() - 2];
  if (slice(joined, {before.end, sentences.back().begin}).find('\n') != std::string_view::npos) return true;
  std::vector<ByteSpan> while_growing;
  BlockSplitter(joined, {before.begin, static_cast<int64_t>(joined.size())}, while_growing, true).split();
  return while_growing.size() > 1;
}

}  // namespace openbook
