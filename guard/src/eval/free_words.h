// What can be told of an answer's words from its text alone: do they stand in the passages, and of what kind are they? And how
// far flagged bytes agree with labelled ones. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "eval/free_rows.h"

namespace openbook::guard {

struct TextWord {
  ByteSpan bytes;            // of the answer
  bool content = false;      // no function word
  bool number = false;       // holds a digit
  bool name = false;         // a capital where none is due
  bool in_passages = false;  // stands in a passage, case folded
  bool known = false;        // the same, or in the question
  bool in_trigram = false;   // part of three words in a row that stand in a row in one passage
};

// Of the words at `words` (ranges of the answer, in order; punctuation among them is left out).
std::vector<TextWord> describe_words(const FreeAnswer& answer, const std::vector<ByteSpan>& words);

// What a piece of an answer adds, by its content words that stand neither in passages nor in the question.
enum class TextKind {
  kParaphrase,  // none: all of it is known, put together anew
  kNumber,      // among them a number
  kName,        // no number, but a name
  kAddition,    // others
};
constexpr TextKind kTextKinds[] = {TextKind::kParaphrase, TextKind::kNumber, TextKind::kName, TextKind::kAddition};
std::string_view text_kind_name(TextKind kind);
TextKind kind_of(const std::vector<TextWord>& words, ByteSpan piece);

struct ByteOverlap {
  int64_t flagged = 0, labelled = 0, both = 0;  // bytes; one that several spans hold counts once
};
ByteOverlap overlap_of(std::vector<ByteSpan> flagged, std::vector<ByteSpan> labelled);

}  // namespace openbook::guard
