// Words that a point belongs to, as far as the word tells. Thread-safe.
#pragma once

#include <string_view>

namespace openbook {

enum class Abbreviation {
  kNone,
  kNeverLast,     // Dr., approx., e.g.: what it belongs to follows
  kBeforeNumber,  // No. 5, Jan. 3: elsewhere a word that may end a sentence
  kBeforeLabel,   // Fig. 7, Vol. II, App. C
  kEither,        // Inc., p.m., etc.: ends a sentence where a word follows that sentences begin with
};

// `folded` as fold_case gives it, without its last point. English, Spanish, German, French and Italian short forms.
Abbreviation abbreviation(std::string_view folded);

// Whether sentences often begin with the word: "the", "er", "los". A name never has it for its first word.
bool opens_sentences(std::string_view folded);

// Whether names go on with it: "de" of "J. de Vries", at the beginning of a sentence with a capital.
bool is_name_particle(std::string_view folded);

// German words between which and a noun a number is an ordinal: "am 3. August", "der 2. Weltkrieg".
bool comes_before_german_ordinal(std::string_view folded);

}  // namespace openbook
