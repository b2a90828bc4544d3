#include "number_form.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <vector>

namespace openbook {
namespace {

enum class Mark { kNone, kPoint, kComma, kGroup, kDecimal };

Mark mark_of(UChar32 c) {
  switch (c) {
    case '.':
    case 0xFF0E:  // full-width
      return Mark::kPoint;
    case ',':
    case 0xFF0C:
      return Mark::kComma;
    case '\'':
    case 0x2019:
    case 0x00A0:  // no-break, figure, thin and narrow no-break space
    case 0x2007:
    case 0x2009:
    case 0x202F:
    case 0x066C:  // Arabic thousands separator
      return Mark::kGroup;
    case 0x066B:  // Arabic decimal separator
      return Mark::kDecimal;
    default:
      return Mark::kNone;
  }
}

UChar32 next_point(std::string_view text, size_t& at) {
  if (at >= text.size()) return 0;
  UChar32 c = 0;
  U8_NEXT(text.data(), at, text.size(), c);
  return c;
}

// How many digits stand from `at` on; `at` moves behind them.
size_t skip_digits(std::string_view text, size_t& at) {
  size_t digits = 0;
  for (size_t next = at; u_isdigit(next_point(text, next)); ++digits) at = next;
  return digits;
}

struct WrittenNumber {
  std::vector<std::string> groups;  // digits in ASCII
  std::vector<Mark> marks;          // between them
};

WrittenNumber read(std::string_view written) {
  WrittenNumber number{{""}, {}};
  for (size_t at = 0; at < written.size();) {
    const UChar32 c = next_point(written, at);
    if (u_isdigit(c)) {
      number.groups.back() += static_cast<char>('0' + u_charDigitValue(c));
    } else {
      number.marks.push_back(mark_of(c));
      number.groups.emplace_back();
    }
  }
  return number;
}

// Whether the first `count` groups are digits grouped by three: 12 500, not 1 2 3 and not 0 500.
bool grouped(const WrittenNumber& number, size_t count) {
  const std::string& first = number.groups.front();
  return !first.empty() && first.size() <= 3 && first[0] != '0' &&
         std::all_of(number.groups.begin() + 1, number.groups.begin() + static_cast<ptrdiff_t>(count),
                     [](const std::string& group) { return group.size() == 3; }) &&
         std::all_of(number.marks.begin(), number.marks.begin() + static_cast<ptrdiff_t>(count - 1),
                     [&](Mark mark) { return mark == number.marks.front(); });
}

std::string joined(const WrittenNumber& number, size_t count) {
  std::string digits;
  for (size_t i = 0; i < count; ++i) digits += number.groups[i];
  return digits;
}

// Whether the last mark is the decimal one.
bool ends_in_decimals(const WrittenNumber& number, bool decimal_comma) {
  const Mark last = number.marks.back();
  if (last == Mark::kDecimal) return true;
  if (last == Mark::kGroup) return false;
  if (number.marks.size() > 1) return number.marks.front() != last && number.marks[number.marks.size() - 2] != last;
  return last == (decimal_comma ? Mark::kComma : Mark::kPoint);
}

}  // namespace

size_t number_end(std::string_view text, size_t begin) {
  size_t end = begin;
  size_t group = skip_digits(text, end);
  for (bool first = true;; first = false) {
    size_t at = end;
    const Mark mark = mark_of(next_point(text, at));
    if (mark == Mark::kNone) return end;
    const size_t digits = skip_digits(text, at);
    if (digits == 0) return end;
    if (mark == Mark::kGroup && (digits != 3 || (first ? group > 3 : group != 3))) return end;
    group = digits;
    end = at;
  }
}

std::string number_form(std::string_view written, bool decimal_comma) {
  const WrittenNumber number = read(written);
  const size_t groups = number.groups.size();
  if (groups == 1) return number.groups[0];
  if (ends_in_decimals(number, decimal_comma)) {
    if (groups == 2 || grouped(number, groups - 1)) return joined(number, groups - 1) + "." + number.groups.back();
  } else if (grouped(number, groups) && (decimal_comma || number.marks.front() != Mark::kPoint)) {
    return joined(number, groups);
  }
  std::string same = number.groups[0];
  for (size_t i = 1; i < groups; ++i) {
    const Mark mark = number.marks[i - 1];
    same += mark == Mark::kGroup ? '\'' : mark == Mark::kComma ? ',' : '.';
    same += number.groups[i];
  }
  return same;
}

}  // namespace openbook
