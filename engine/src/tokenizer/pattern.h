// A regular expression of a tokenizer file, matched with PCRE2.
//
// Such files are written for Oniguruma. Where the two read a shorthand differently, it is spelled out as Oniguruma defines it
// (\s is White_Space, \w is Alphabetic, Mark, Nd, Pc and six numbers of Latin-1, \d is Nd, \h is a hexadecimal digit); a
// construct that would still mean something else (sets within sets, intersections, word borders) is refused.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tokenizer/json_field.h"

namespace openbook::engine {

class Pattern {
 public:
  // unimplemented, naming `where`, when PCRE2 can't read it.
  Pattern(std::string_view expression, const JsonField& where);
  // From {"Regex": expression} or {"String": text to look for}.
  static Pattern from(const JsonField& description);

  // The leftmost match in text[from, ...), as [begin, end); what stands before `from` counts for look-behind.
  // `text` must be valid UTF-8 and `from` the border of a code point. resource_exhausted past PCRE2's limits.
  std::optional<std::pair<size_t, size_t>> next_match(std::string_view text, size_t from) const;

 private:
  explicit Pattern(const std::string& pcre2_expression);
  struct Code;
  std::shared_ptr<const Code> code_;
};

}  // namespace openbook::engine
