// fold_case: the form that words are compared by.
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include <algorithm>

#include "number_form.h"
#include "openbook/base/error.h"
#include "openbook/base/utf8.h"

namespace openbook {
namespace {

const icu::Normalizer2& casefold() {
  static const icu::Normalizer2* const instance = [] {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* found = icu::Normalizer2::getNFKCCasefoldInstance(status);
    if (U_FAILURE(status)) throw Error(Code::kInternal, std::string("ICU has no normal forms: ") + u_errorName(status));
    return found;
  }();
  return *instance;
}

void append_normal(std::string_view text, std::string& out) {
  if (text.empty()) return;
  UErrorCode status = U_ZERO_ERROR;
  icu::StringByteSink<std::string> sink(&out);
  casefold().normalizeUTF8(0, {text.data(), static_cast<int32_t>(text.size())}, sink, nullptr, status);
  if (U_FAILURE(status)) throw Error(Code::kInternal, std::string("ICU can't normalise a text: ") + u_errorName(status));
}

bool is_digit(char32_t value) { return value < 0x80 ? value >= '0' && value <= '9' : u_isdigit(static_cast<UChar32>(value)); }

// "²" behind a digit would become a digit of the same number.
bool is_raised_digit(char32_t value) { return value >= 0x80 && u_charType(static_cast<UChar32>(value)) == U_OTHER_NUMBER; }

std::string fold_ascii(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const bool grouped = c >= '0' && c <= '9';
    if (!grouped) {
      folded += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
      ++at;
      continue;
    }
    const size_t end = number_end(text, at);
    folded += number_form(text.substr(at, end - at), false);
    at = end;
  }
  return folded;
}

std::string fold_unicode(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  size_t pending = 0;  // what has not been normalised begins here
  bool after_digit = false;
  const auto take = [&](size_t begin, size_t end, const std::string& instead) {
    append_normal(text.substr(pending, begin - pending), folded);
    folded += instead;
    pending = end;
  };
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    size_t end = at + point.length;
    if (is_digit(point.value)) {
      end = number_end(text, at);
      take(at, end, number_form(text.substr(at, end - at), false));
    } else if (point.value == 0x2019) {
      take(at, end, "'");
    } else if (after_digit && is_raised_digit(point.value)) {
      take(at, end, std::string(text.substr(at, point.length)));
    }
    after_digit = is_digit(point.value) || (after_digit && is_raised_digit(point.value));
    at = end;
  }
  append_normal(text.substr(pending), folded);
  return folded;
}

}  // namespace

std::string fold_case(std::string_view valid_utf8) {
  const bool ascii = std::all_of(valid_utf8.begin(), valid_utf8.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; });
  return ascii ? fold_ascii(valid_utf8) : fold_unicode(valid_utf8);
}

}  // namespace openbook
