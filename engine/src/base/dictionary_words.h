// Words of scripts that put no blanks between them and whose words only a dictionary knows: Thai, Lao, Khmer, Burmese.
// Thread-safe.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace openbook {

// Whether `value` is a letter or a mark of such a script.
bool needs_dictionary(char32_t value);

// Where the words of `run` end, which holds such letters and marks only; the last one is its size.
std::vector<size_t> dictionary_word_ends(std::string_view run);

}  // namespace openbook
