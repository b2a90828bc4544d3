// Pre-tokenisation of a tokenizer.json: cuts normalised text into words, inside which the model works.
#pragma once

#include <memory>
#include <vector>

#include "tokenizer/aligned_text.h"
#include "tokenizer/json_field.h"

namespace openbook::engine {

struct Words {
  AlignedText text;             // may gain prefixes while it is cut
  std::vector<ByteSpan> spans;  // the words, from left to right, none empty
};

// Immutable and thread-safe.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(Words& words) const = 0;
  // The model's vocabulary spells bytes (byte_alphabet.h). The words stay plain UTF-8 all the same.
  virtual bool byte_level() const { return false; }
};

// From the field `pre_tokenizer`: ByteLevel, Split, Digits, Punctuation, Metaspace, Whitespace, WhitespaceSplit,
// BertPreTokenizer, Sequence. unimplemented, naming the type, for any other.
std::unique_ptr<const PreTokenizer> make_pre_tokenizer(const JsonField& description);

}  // namespace openbook::engine
