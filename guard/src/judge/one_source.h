// Whether a sentence that somebody else wrote says what one sentence of a passage says.
//
// Words that all stand in the documents can say what no document says: "Kestrel bought Merlin" from "Merlin bought Kestrel", or
// the beginning of one sentence with the end of another. So all words of the sentence that claim something, those of the question
// too, must stand in one sentence of the passages, one after another, with nothing between them that claims something. A subject
// that the source only points back to ("It is 40 metres high") may stand in front of that sentence in its section.
//
// This passes what is nearly a quotation. A freer paraphrase is not called wrong, but stays unchecked. Thread-safe.
#pragma once

#include <optional>
#include <span>

#include "judge/judge.h"

namespace openbook::guard {

// The sentence that says it; nothing when there is none.
std::optional<Source> find_one_source(std::span<const TextWord> said, Language language, const JudgeContext& context);

}  // namespace openbook::guard
