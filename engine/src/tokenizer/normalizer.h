// Normalisation of a tokenizer.json: the steps that change a text before it is cut into words.
#pragma once

#include <memory>

#include "tokenizer/aligned_text.h"
#include "tokenizer/json_field.h"

namespace openbook::engine {

// Immutable and thread-safe.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void apply(AlignedText& text) const = 0;
};

// From the field `normalizer`: NFC, NFD, NFKC, NFKD, Lowercase, Strip, Replace, Prepend, BertNormalizer, Sequence.
// unimplemented, naming the type, for any other.
std::unique_ptr<const Normalizer> make_normalizer(const JsonField& description);

}  // namespace openbook::engine
