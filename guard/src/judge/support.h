// Which claims of a sentence a passage supports, and from where each is cited. Thread-safe.
#pragma once

#include "judge/judge.h"

namespace openbook::guard {

// How the claims of a sentence are looked for in the passages.
struct Search {
  float least_share;  // of the attention that a place must have had
  bool one_section;   // all claims have to stand in; what answers the question is the place of the first one, if it can be
};

// Cites the copied claims of `judgement`: sets support, source and citation of each, and makes the citations.
void support_claims(Judgement& judgement, const Spoken& spoken, const JudgeContext& context, const Search& search);

// Cites one claim from `source`. `sentence` is the sentence that holds it.
void cite(Claim& claim, Judgement& judgement, const Source& source, ByteSpan sentence, bool on_topic,
          const JudgeContext& context);

}  // namespace openbook::guard
