#include "tokenizer/character_class.h"

#include <utf8proc.h>

#include "openbook/base/utf8.h"

namespace openbook::engine {
namespace {

utf8proc_category_t category(char32_t value) { return utf8proc_category(static_cast<utf8proc_int32_t>(value)); }

bool in_categories(char32_t value, utf8proc_category_t first, utf8proc_category_t last) {
  const auto found = category(value);
  return first <= found && found <= last;
}

}  // namespace

bool is_white_space(char32_t value) { return is_space(value); }
bool is_numeric(char32_t value) { return in_categories(value, UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO); }
bool is_nonspacing_mark(char32_t value) { return category(value) == UTF8PROC_CATEGORY_MN; }
bool is_mark(char32_t value) { return in_categories(value, UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_ME); }

bool is_word_character(char32_t value) {
  return in_categories(value, UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_NL) || category(value) == UTF8PROC_CATEGORY_PC;
}

bool is_other(char32_t value) {
  return category(value) == UTF8PROC_CATEGORY_CN || in_categories(value, UTF8PROC_CATEGORY_CC, UTF8PROC_CATEGORY_CO);
}

bool is_punctuation(char32_t value) {
  if (value < 0x80) return value > ' ' && value != 0x7F && !is_letter_or_digit(value);
  return in_categories(value, UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PO);
}

bool is_cjk_ideograph(char32_t value) {
  return (value >= 0x4E00 && value <= 0x9FFF) || (value >= 0x3400 && value <= 0x4DBF) || (value >= 0x20000 && value <= 0x2A6DF) ||
         (value >= 0x2A700 && value <= 0x2B73F) || (value >= 0x2B740 && value <= 0x2B81F) || (value >= 0x2B920 && value <= 0x2CEAF) ||
         (value >= 0xF900 && value <= 0xFAFF) || (value >= 0x2F800 && value <= 0x2FA1F);
}

}  // namespace openbook::engine
