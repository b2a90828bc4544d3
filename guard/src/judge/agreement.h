// Does a sentence agree with the sentences that are cited for it, word beside word?
//
// A claim's own words stand in its source as they are. What binds them does not have to: "Guests may bring a dog" is all quoted
// from "Guests must not bring a dog". So the binding words (binding.h) directly in front of a word, with nothing but neutral
// words between, are compared with those in front of it in the cited sentence:
//   - one that the source has not there contradicts it ("to Zeland" for "from Zeland");
//   - one of force that the source has there and the sentence has not ("not", "may", "only") is left out.
// A binding word that ends its clause is compared with what follows the word in front of it.
//
// A word of the question has no citation of its own; it is looked for in the sentences that are cited beside it.
//
// Thread-safe.
#pragma once

#include "judge/judge.h"

namespace openbook::guard {

// Judges the binding words of `judgement`, whose claims are cited: copied where they agree. Those that contradict become claims
// of their own, unchecked; a claim from whose front something is left out is unchecked and loses its support. Where no cited
// claim stands beside a binding word its verdict stays.
void require_agreement(Judgement& judgement, const JudgeContext& context);

}  // namespace openbook::guard
