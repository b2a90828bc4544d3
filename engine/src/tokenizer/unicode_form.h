// Unicode normalisation forms that keep the alignment to the source (Unicode Standard Annex 15; tables of utf8proc).
#pragma once

#include "tokenizer/aligned_text.h"

namespace openbook::engine {

enum class UnicodeForm { kNfc, kNfd, kNfkc, kNfkd };

void to_unicode_form(AlignedText& text, UnicodeForm form);

}  // namespace openbook::engine
