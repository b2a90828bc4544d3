#include "openbook/base/values.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "months.h"
#include "number_form.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"

namespace openbook {
namespace {

bool all_digits(std::string_view folded) {
  return !folded.empty() && std::all_of(folded.begin(), folded.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int to_int(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

bool is_day_of(int month, int day) {
  static constexpr std::array<int, 13> kDays = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month >= 1 && month <= 12 && day >= 1 && day <= kDays[static_cast<size_t>(month)];
}

std::string spelt(const char* format, int a, int b, int c = 0) {
  char text[40];
  std::snprintf(text, sizeof text, format, a, b, c);
  return text;
}

class ValueFinder {
 public:
  ValueFinder(std::string_view text, Language language) : text_(text), language_(language) {
    for (const WordSpan& span : split_words(text)) words_.push_back({span.bytes, span.punctuation, {}});
  }

  std::vector<Value> find() {
    std::vector<Value> values;
    for (size_t i = 0; i < words_.size();) {
      const auto read = read_at(i);
      if (read) values.push_back(read->value);
      i = read ? read->next : i + 1;
    }
    return values;
  }

 private:
  struct Part {
    ByteSpan bytes;
    bool punctuation;
    std::string folded;  // made when asked for
  };
  struct Read {
    Value value;
    size_t next;  // the first word behind it
  };
  struct Piece {
    int number;
    size_t next;
  };

  std::optional<Read> read_at(size_t i) {
    if (words_[i].punctuation) return std::nullopt;
    const char first = text_[static_cast<size_t>(words_[i].bytes.begin)];
    const bool digit = u_digit(i);
    if (!digit && static_cast<uint8_t>(first) < 'A') return std::nullopt;
    if (!digit) return month_first(i);
    for (const auto form : {&ValueFinder::year_first, &ValueFinder::day_first, &ValueFinder::in_figures, &ValueFinder::chinese})
      if (auto read = (this->*form)(i)) return read;
    return number(i);
  }

  bool u_digit(size_t i) {
    const std::string& word = folded(i);
    return !word.empty() && word[0] >= '0' && word[0] <= '9';
  }

  const std::string& folded(size_t i) {
    static const std::string nothing;
    if (i >= words_.size()) return nothing;
    if (words_[i].folded.empty()) words_[i].folded = fold_case(slice(text_, words_[i].bytes));
    return words_[i].folded;
  }

  bool is(size_t i, std::string_view written) const { return i < words_.size() && slice(text_, words_[i].bytes) == written; }
  bool touches(size_t i) const { return i < words_.size() && words_[i].bytes.begin == words_[i - 1].bytes.end; }
  bool touches_mark(size_t i, std::string_view mark) const { return is(i, mark) && touches(i); }
  // 2001-05-09-17 and 1/2/2001/3 are something else.
  bool goes_on(size_t i, std::string_view mark) { return touches_mark(i, mark) && touches(i + 1) && u_digit(i + 1); }

  Read made(size_t first, size_t next, Value::Kind kind, std::string normal) const {
    return {{{words_[first].bytes.begin, words_[next - 1].bytes.end}, kind, std::move(normal)}, next};
  }
  Read day(size_t first, size_t next, std::optional<int> year, int month, int day) const {
    return made(first, next, Value::Kind::kDay,
                year ? spelt("%04d-%02d-%02d", *year, month, day) : spelt("--%02d-%02d", month, day));
  }

  std::optional<int> digits(size_t i, size_t least, size_t most) {
    const std::string& word = folded(i);
    if (!all_digits(word) || word.size() < least || word.size() > most) return std::nullopt;
    return to_int(word);
  }

  std::optional<int> year(size_t i) {
    const auto found = digits(i, 4, 4);
    return found && *found >= 1000 && *found < 3000 && !goes_on(i + 1, ":") ? found : std::nullopt;
  }

  // "9", "9th", "1er", "1º", and "9." as the German write it.
  std::optional<Piece> day_number(size_t i) {
    static constexpr std::array<std::string_view, 12> kOrdinals = {"",   "st", "nd", "rd", "th",  "er",
                                                                   "re", "o",  "a",  "e",  "ste", "de"};
    const std::string& word = folded(i);
    const size_t end = std::min(word.find_first_not_of("0123456789"), word.size());
    if (end == 0 || end > 2 || std::find(kOrdinals.begin(), kOrdinals.end(), word.substr(end)) == kOrdinals.end()) return {};
    if (goes_on(i + 1, ":") || (touches_mark(i + 1, "%"))) return {};
    return Piece{to_int(word.substr(0, end)), i + 1 + touches_mark(i + 1, ".")};
  }

  size_t skip_of(size_t i) {
    static constexpr std::array<std::string_view, 6> kOf = {"of", "de", "del", "di", "do", "d"};
    return i + (std::find(kOf.begin(), kOf.end(), folded(i)) != kOf.end());
  }

  // A month's name at `i`, and the point of a short form. `alone`: no year makes sure that it is one.
  std::optional<Piece> month(size_t i, bool alone) {
    if (i >= words_.size() || words_[i].punctuation) return {};
    const int in_language = month_in(folded(i), language_);
    const int found = in_language || alone ? in_language : month_in_any_language(folded(i));
    if (found == 0) return {};
    // In English a month has a capital; "may" and "march" have not.
    const bool small = slice(text_, words_[i].bytes) == folded(i);
    if (alone && small && !has_decimal_comma(language_)) return {};
    return Piece{found, i + 1 + touches_mark(i + 1, ".")};
  }

  // The year behind a month or a day: "2001", ", 2001", "de 2001".
  std::optional<Piece> year_behind(size_t i) {
    for (const size_t at : {i, skip_of(i), i + is(i, ",")})
      if (const auto found = year(at)) return Piece{*found, at + 1};
    return {};
  }

  // "9 May 2001", "9. Mai", "9 de mayo de 2001".
  std::optional<Read> day_first(size_t i) {
    const auto number = day_number(i);
    if (!number) return {};
    const size_t name = skip_of(number->next);
    if (const auto named = month(name, false); named && is_day_of(named->number, number->number)) {
      if (const auto in = year_behind(named->next)) return day(i, in->next, in->number, named->number, number->number);
    }
    const auto named = month(name, true);
    if (!named || !is_day_of(named->number, number->number)) return {};
    return day(i, name + 1, std::nullopt, named->number, number->number);
  }

  // "May 9, 2001", "May 9th", "May 2001", "mayo de 2001".
  std::optional<Read> month_first(size_t i) {
    const auto named = month(i, false);
    if (!named) return {};
    if (const auto in = year_behind(named->next))
      return made(i, in->next, Value::Kind::kMonth, spelt("%04d-%02d", in->number, named->number));
    const auto number = day_number(named->next);
    if (!number || !is_day_of(named->number, number->number)) return {};
    if (const auto in = year_behind(named->next + 1)) return day(i, in->next, in->number, named->number, number->number);
    // "May 9 June" is two days, the first of them cut short.
    if (!month(i, true) || month(number->next, true)) return {};
    return day(i, named->next + 1, std::nullopt, named->number, number->number);
  }

  // "2001-05-09", "2001/05/09", and the same with a time behind it: "2001-05-09T10:00".
  std::optional<Read> year_first(size_t i) {
    const auto of_year = year(i);
    if (!of_year) return {};
    for (const std::string_view mark : {"-", "/"}) {
      if (!touches_mark(i + 1, mark) || !touches(i + 2) || !touches_mark(i + 3, mark) || !touches(i + 4)) continue;
      const auto of_month = digits(i + 2, 2, 2);
      const std::string& last = folded(i + 4);
      const bool timed = last.size() > 2 && last[2] == 't' && all_digits(std::string_view(last).substr(0, 2));
      const auto of_day = timed ? std::optional(to_int(last.substr(0, 2))) : digits(i + 4, 2, 2);
      if (!of_month || !of_day || !is_day_of(*of_month, *of_day) || goes_on(i + 5, mark)) continue;
      Read read = day(i, i + 5, of_year, *of_month, *of_day);
      if (timed) read.value.bytes.end = words_[i + 4].bytes.begin + 2;
      return read;
    }
    return {};
  }

  // "9.5.2001", and "9/5/2001" or "9-5-2001" where only one order can be meant.
  std::optional<Read> in_figures(size_t i) {
    int a = 0, b = 0, of_year = 0, used = 0;
    const std::string& word = folded(i);
    if (std::sscanf(word.c_str(), "%2d.%2d.%4d%n", &a, &b, &of_year, &used) == 3 && static_cast<size_t>(used) == word.size() &&
        of_year >= 1000 && is_day_of(b, a))
      return day(i, i + 1, of_year, b, a);
    for (const std::string_view mark : {"/", "-"}) {
      if (!touches_mark(i + 1, mark) || !touches(i + 2) || !touches_mark(i + 3, mark) || !touches(i + 4)) continue;
      const auto first = digits(i, 1, 2), second = digits(i + 2, 1, 2), last = year(i + 4);
      if (!first || !second || !last || goes_on(i + 5, mark)) continue;
      const bool day_first = is_day_of(*second, *first), month_first = is_day_of(*first, *second);
      if (day_first && (has_decimal_comma(language_) || !month_first || *first == *second))
        return day(i, i + 5, last, *second, *first);
      if (month_first && !day_first) return day(i, i + 5, last, *first, *second);
    }
    return {};
  }

  // "2001年5月9日", "5月9日", "2001年5月".
  std::optional<Read> chinese(size_t i) {
    const auto of_year = is(i + 1, "年") ? year(i) : std::nullopt;
    const size_t at = of_year ? i + 2 : i;
    const auto of_month = digits(at, 1, 2);
    if (!of_month || *of_month < 1 || *of_month > 12 || !is(at + 1, "月")) return {};
    const auto of_day = digits(at + 2, 1, 2);
    if (of_day && is_day_of(*of_month, *of_day) && (is(at + 3, "日") || is(at + 3, "号")))
      return day(i, at + 4, of_year, *of_month, *of_day);
    if (!of_year) return {};
    return made(i, at + 2, Value::Kind::kMonth, spelt("%04d-%02d", *of_year, *of_month));
  }

  std::optional<Read> number(size_t i) const {
    const auto begin = static_cast<size_t>(words_[i].bytes.begin), end = static_cast<size_t>(words_[i].bytes.end);
    if (number_end(text_.substr(0, end), begin) != end) return {};
    return made(i, i + 1, Value::Kind::kNumber, number_form(text_.substr(begin, end - begin), has_decimal_comma(language_)));
  }

  std::string_view text_;
  Language language_;
  std::vector<Part> words_;
};

}  // namespace

std::vector<Value> find_values(std::string_view valid_utf8, Language language) {
  return ValueFinder(valid_utf8, language).find();
}

}  // namespace openbook
