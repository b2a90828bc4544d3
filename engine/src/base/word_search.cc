// Finding words in a text: by their folded forms, and by the values of numbers and days.
#include <algorithm>
#include <string>
#include <vector>

#include "number_form.h"
#include "openbook/base/language.h"
#include "openbook/base/utf8.h"
#include "openbook/base/values.h"
#include "openbook/base/words.h"

namespace openbook {
namespace {

constexpr size_t kLanguageBytes = 4096;  // the first bytes of a text tell its language

// What two texts are compared by, and where each of it stands.
struct Sequence {
  std::vector<std::string> forms;
  std::vector<ByteSpan> bytes;

  void add(std::string form, ByteSpan where) {
    forms.push_back(std::move(form));
    bytes.push_back(where);
  }
};

Sequence words_of(std::string_view text) {
  Sequence words;
  for (const WordSpan& span : split_words(text))
    if (!span.punctuation) words.add(fold_case(slice(text, span.bytes)), span.bytes);
  return words;
}

// The words of `text`, but for each value its normal form in the place of its words.
Sequence with_values(std::string_view text, const Sequence& words, Language language) {
  const std::vector<Value> values = find_values(text, language);
  Sequence sequence;
  auto value = values.begin();
  for (size_t i = 0; i < words.forms.size(); ++i) {
    while (value != values.end() && value->bytes.end <= words.bytes[i].begin) ++value;
    if (value == values.end() || !value->bytes.overlaps(words.bytes[i]))
      sequence.add(words.forms[i], words.bytes[i]);
    else if (sequence.bytes.empty() || sequence.bytes.back() != value->bytes)
      sequence.add(value->normal, value->bytes);
  }
  return sequence;
}

void find(const Sequence& text, const Sequence& wanted, std::vector<ByteSpan>& found) {
  if (wanted.forms.empty()) return;
  const auto begin = text.forms.begin(), end = text.forms.end();
  for (auto at = begin; (at = std::search(at, end, wanted.forms.begin(), wanted.forms.end())) != end; ++at) {
    const auto first = static_cast<size_t>(at - begin);
    found.push_back({text.bytes[first].begin, text.bytes[first + wanted.forms.size() - 1].end});
  }
}

bool has_digit(const Sequence& words) {
  return std::any_of(words.forms.begin(), words.forms.end(),
                     [](const std::string& word) { return word.find_first_of("0123456789") != std::string::npos; });
}

Language language_of_beginning(std::string_view text) {
  size_t end = std::min(text.size(), kLanguageBytes);
  while (end < text.size() && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return language_of(text.substr(0, end));
}

}  // namespace

std::vector<ByteSpan> find_words(std::string_view text, std::string_view piece) {
  const Sequence wanted = words_of(piece), words = words_of(text);
  std::vector<ByteSpan> found;
  find(words, wanted, found);
  if (!has_digit(wanted) || !has_digit(words)) return found;
  const Language language = language_of_beginning(text);
  const Sequence valued = with_values(piece, wanted, language);
  // Without a day, numbers have a value of their own only where a language reads them otherwise than fold_case does.
  if (valued.forms == wanted.forms && !has_decimal_comma(language)) return found;
  find(with_values(text, words, language), valued, found);
  const auto in_order = [](ByteSpan a, ByteSpan b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; };
  std::sort(found.begin(), found.end(), in_order);
  found.erase(std::unique(found.begin(), found.end()), found.end());
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
  return replaced += text.substr(static_cast<size_t>(done));
}

}  // namespace openbook
