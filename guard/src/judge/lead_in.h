// The words in front of an answer that only announce it: "The answer to this question is:", "According to the documents,",
// "La respuesta es". They speak of the answer or of the documents, not of the subject, so they claim nothing that needs a source.
//
// Only at the beginning of a sentence and only from closed lists, English and Spanish; any other language has none. What follows
// is judged as ever. Thread-safe.
#pragma once

#include <span>

#include "openbook/base/language.h"
#include "text/text_word.h"

namespace openbook::guard {

// How many of the first words of a sentence announce the answer; 0 when it begins with the answer itself.
size_t lead_in(std::span<const TextWord> words, Language language);

}  // namespace openbook::guard
