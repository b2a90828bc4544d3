// A sentence as it was spoken, and what of it is layout rather than words. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "judge/monitor.h"
#include "openbook/base/span.h"

namespace openbook::guard {

// Its text is the concatenation of its tokens' bytes, but for what the functions below take out or change.
struct Spoken {
  std::string text;
  std::vector<TokenObservation> tokens;
  std::vector<ByteSpan> token_bytes;  // in `text`, one per token; empty where nothing of the token is in it
  bool last = false;                  // the model ended here, or had to
};

// Takes the marks of a Markdown heading ("## ") out of a spoken sentence. They are layout of the document that the model copied
// with its words.
void drop_heading_mark(Spoken& spoken);

// Makes what was said behind a lead-in ("According to the documents,") the beginning of a sentence: without space, and with a
// capital where its first word is all small Latin letters ("iPhone" stays).
void begin_sentence(Spoken& spoken);

}  // namespace openbook::guard
