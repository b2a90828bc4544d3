// A passage as the guard reads it: its words, its sentences and its language, worked out once when a request begins.
//
// All ranges are bytes of the stored document. Immutable; thread-safe.
//
//   const ReadPassage read(passage);
//   for (ByteSpan place : read.find(read_words("28 days", language))) show(text_at(passage, place));
#pragma once

#include <span>
#include <vector>

#include "openbook/base/language.h"
#include "openbook/base/passage.h"
#include "text/text_word.h"

namespace openbook::guard {

struct ReadSentence {
  ByteSpan range;
  bool heading = false;
  size_t first_word = 0, words = 0;  // into ReadPassage::words()
};

class ReadPassage {
 public:
  explicit ReadPassage(const Passage& passage);  // which must outlive this

  const Passage& passage() const { return *passage_; }
  Language language() const { return language_; }
  const std::vector<TextWord>& words() const { return words_; }              // with punctuation
  const std::vector<ReadSentence>& sentences() const { return sentences_; }  // in order

  // Every place where the wanted words (same_word) stand one after another, whatever punctuation stands between them; numbers and
  // days are found by value in any spelling. In order; places may overlap. Punctuation among the wanted words is passed over;
  // without any word nothing is found.
  std::vector<ByteSpan> find(std::span<const TextWord> wanted) const;

  // The sentence that holds a byte of the document; null between two sentences.
  const ReadSentence* sentence_at(int64_t byte) const;
  // The sentence that holds the first byte of `source`, and never less than `source`.
  ByteSpan sentence_around(ByteSpan source) const;

 private:
  const Passage* passage_;
  Language language_;
  std::vector<TextWord> words_;
  std::vector<TextWord> valued_;  // with_values(words_)
  std::vector<ReadSentence> sentences_;
};

std::vector<ReadPassage> read_passages(const std::vector<Passage>& passages);  // which must outlive the result

}  // namespace openbook::guard
