// Whether the model says by itself that the documents do not answer: by the words of such a sentence, English and Spanish.
// Thread-safe.
#pragma once

#include <string_view>

namespace openbook::guard {

bool is_abstention(std::string_view sentence);

}  // namespace openbook::guard
