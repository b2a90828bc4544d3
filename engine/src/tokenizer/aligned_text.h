// A text under normalisation that remembers, byte by byte, where in the source it came from.
//
// A byte that normalisation left alone stands for its own source byte; every byte of a code point that it made (composed,
// decomposed, replaced) stands for all the source bytes of what it was made from; a byte that it put in (a prefix) stands
// for an empty span at the place where it was put.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/span.h"

namespace openbook::engine {

class AlignedText {
 public:
  AlignedText() = default;
  // `text` stands at `offset` of the source, unchanged.
  AlignedText(std::string_view text, int64_t offset) : text_(text), offset_(offset) {}

  const std::string& text() const { return text_; }
  ByteSpan source(size_t begin, size_t end) const;  // what text[begin, end) came from; begin < end
  AlignedText slice(size_t begin, size_t end) const;

 private:
  friend class TextRewriter;
  std::string text_;
  int64_t offset_ = 0;
  std::vector<ByteSpan> origin_;  // [text byte]; empty while nothing was changed: byte i came from offset_ + i
};

// Builds the next state of an AlignedText from left to right.
class TextRewriter {
 public:
  explicit TextRewriter(const AlignedText& from) : from_(from) { to_.reserve(from.text().size() + 8); }

  void keep(size_t begin, size_t end);                             // from[begin, end) as it is
  void replace(size_t begin, size_t end, std::string_view bytes);  // `bytes` instead of from[begin, end)
  void insert(size_t before, std::string_view bytes);              // `bytes` in front of from[before]
  size_t size() const { return to_.size(); }                       // bytes written so far
  AlignedText finish() &&;

 private:
  const AlignedText& from_;
  std::string to_;
  std::vector<ByteSpan> origin_;
};

}  // namespace openbook::engine
