// What a tokenizer.json adds around a text: [CLS] ... [SEP], <s> ...
#pragma once

#include <vector>

#include "tokenizer/vocabulary.h"

namespace openbook::engine {

struct SurroundingTokens {
  std::vector<TokenId> before, after;
};

// From the field `post_processor`: TemplateProcessing (its `single`), BertProcessing, RobertaProcessing, ByteLevel, Sequence.
// unimplemented, naming the type, for any other.
SurroundingTokens read_post_processor(const JsonField& description, const Vocabulary& vocabulary);

}  // namespace openbook::engine
