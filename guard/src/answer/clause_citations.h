// Citations that people can read: one for each source sentence that a clause rests on, instead of one for each claim.
//
// A clause ends at a comma, semicolon, colon or dash, and where the sentence ends. Neighbouring clauses that rest on the same
// sentences count as one. A citation's quote is the shortest run of the source sentence that holds the words of all its claims.
// Thread-safe.
#pragma once

#include <vector>

#include "judge/judge.h"

namespace openbook::guard {

struct CitedClauses {
  std::vector<Claim> claims;  // the judgement's, which now name these citations
  std::vector<Citation> citations;
};

CitedClauses cite_clauses(const Judgement& judgement, const std::vector<ReadPassage>& passages);

}  // namespace openbook::guard
