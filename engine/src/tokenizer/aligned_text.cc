#include "tokenizer/aligned_text.h"

#include <utility>

namespace openbook::engine {

ByteSpan AlignedText::source(size_t begin, size_t end) const {
  if (origin_.empty()) return {offset_ + static_cast<int64_t>(begin), offset_ + static_cast<int64_t>(end)};
  ByteSpan span = origin_[begin];
  for (size_t i = begin + 1; i < end; ++i) {  // canonical reordering may have exchanged neighbours
    span.begin = std::min(span.begin, origin_[i].begin);
    span.end = std::max(span.end, origin_[i].end);
  }
  return span;
}

AlignedText AlignedText::slice(size_t begin, size_t end) const {
  AlignedText part(std::string_view(text_).substr(begin, end - begin), offset_ + static_cast<int64_t>(begin));
  if (!origin_.empty())
    part.origin_.assign(origin_.begin() + static_cast<ptrdiff_t>(begin), origin_.begin() + static_cast<ptrdiff_t>(end));
  return part;
}

void TextRewriter::keep(size_t begin, size_t end) {
  to_.append(from_.text_, begin, end - begin);
  for (size_t i = begin; i < end; ++i) origin_.push_back(from_.source(i, i + 1));
}

void TextRewriter::replace(size_t begin, size_t end, std::string_view bytes) {
  if (bytes == std::string_view(from_.text_).substr(begin, end - begin)) return keep(begin, end);
  to_.append(bytes);
  if (begin < end) origin_.insert(origin_.end(), bytes.size(), from_.source(begin, end));
}

void TextRewriter::insert(size_t before, std::string_view bytes) {
  int64_t place = from_.offset_ + static_cast<int64_t>(before);
  if (before < from_.origin_.size()) place = from_.origin_[before].begin;
  to_.append(bytes);
  origin_.insert(origin_.end(), bytes.size(), ByteSpan{place, place});
}

AlignedText TextRewriter::finish() && {
  if (to_ == from_.text_) return from_;
  AlignedText next;
  next.text_ = std::move(to_);
  next.offset_ = from_.offset_;
  next.origin_ = std::move(origin_);
  return next;
}

}  // namespace openbook::engine
