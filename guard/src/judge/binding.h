// Binding words: function words that claim nothing alone, but change what is claimed. "may", "not", "to", "only".
//
// They are never neutral. Which place the heads read a preposition from tells little, so a binding word is judged by the sentence
// that is cited for the claim beside it (agreement.h). Closed lists, English and Spanish; any other language has none, and every
// word of it is judged by the probe. Thread-safe.
#pragma once

#include <string_view>

#include "openbook/base/language.h"

namespace openbook::guard {

enum class Binding {
  kNone,
  kRelation,  // to, from, in, before, without: where, when, in which direction
  kForce,  // may, must, not, never, only, most: how far the claim holds. What a source has of them an answer must not leave out
};

Binding binding_of(std::string_view folded_word, Language language);

}  // namespace openbook::guard
