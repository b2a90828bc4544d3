// Character classes as Hugging Face's tokenizers mean them.
#pragma once

namespace openbook::engine {

bool is_white_space(char32_t value);      // the property White_Space
bool is_numeric(char32_t value);          // Nd, Nl, No
bool is_nonspacing_mark(char32_t value);  // Mn of Unicode 8.0
bool is_word_character(char32_t value);   // Alphabetic, M, Nd, Pc, joiners (UTS 18, annex C)
bool is_other(char32_t value);            // Cc, Cf of Unicode 8.0, Cs, Co
bool is_punctuation(char32_t value);      // P of Unicode 8.0, and the ASCII symbols
bool is_cjk_ideograph(char32_t value);    // the blocks that BERT sets apart

}  // namespace openbook::engine
