#include "dictionary_words.h"

#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>

#include <memory>
#include <string>

#include "openbook/base/error.h"

namespace openbook {
namespace {

void require(UErrorCode status, const char* what) {
  if (U_FAILURE(status)) throw Error(Code::kInternal, std::string("ICU can't ") + what + ": " + u_errorName(status));
}

// One a thread: it holds the text that it reads.
icu::BreakIterator& word_breaks() {
  thread_local const std::unique_ptr<icu::BreakIterator> iterator = [] {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::BreakIterator> made(icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), status));
    require(status, "find words");
    return made;
  }();
  return *iterator;
}

}  // namespace

bool needs_dictionary(char32_t value) {
  if (value < 0x0E00 || (value > 0x1AFF && value < 0xA9E0) || value > 0x1173F) return false;
  return u_getIntPropertyValue(static_cast<UChar32>(value), UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT;
}

std::vector<size_t> dictionary_word_ends(std::string_view run) {
  UErrorCode status = U_ZERO_ERROR;
  UText text = UTEXT_INITIALIZER;
  utext_openUTF8(&text, run.data(), static_cast<int64_t>(run.size()), &status);
  icu::BreakIterator& breaks = word_breaks();
  breaks.setText(&text, status);
  utext_close(&text);
  require(status, "read a text");
  std::vector<size_t> ends;
  breaks.first();
  for (int32_t end = breaks.next(); end != icu::BreakIterator::DONE; end = breaks.next())
    ends.push_back(static_cast<size_t>(end));
  if (ends.empty() || ends.back() != run.size()) ends.push_back(run.size());
  return ends;
}

}  // namespace openbook
