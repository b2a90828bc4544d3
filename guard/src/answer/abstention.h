// Whether a sentence says of the passages as a whole that they do not answer: "The documents do not say.", "I don't know."
//
// Such a sentence claims nothing. It is recognised by its whole form, English and Spanish: who does not answer (the documents, or
// the speaker), that it does not, and at most what was asked. A sentence that goes on ("..., but it is Rome"), that brings a name
// or a number of its own, or that denies something of its subject ("The leaflet contains no prices") is no abstention and is
// judged as any other. Nor is one about documents when the question itself asks about them. Thread-safe.
#pragma once

#include <string_view>

#include "text/question.h"

namespace openbook::guard {

bool is_abstention(std::string_view sentence, const Question& question);

}  // namespace openbook::guard
