// Reads and checks biographies.json. Format: attribution/data/README.md.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "report/biographies.h"

namespace openbook::attribution {

// Throws invalid_argument naming the language, the form and what is wrong with it: a symbol without forms, a fact's sentence
// without {who} or {value}, a grammar that never ends.
std::map<std::string, BiographyLanguage> parse_biographies(const std::string& json, const std::string& file);

// A form cut into text and symbols, in order: "born on {value}." is "born on ", {value}, ".".
struct FormPiece {
  std::string_view text;
  bool symbol = false;
};
std::vector<FormPiece> pieces_of(std::string_view form);

// {1..28}: both ends belong to it. Nothing when the symbol is no range of numbers.
struct NumberRange {
  int64_t first = 0, last = -1;
  bool empty() const { return last < first; }
};
NumberRange number_range(std::string_view symbol);

}  // namespace openbook::attribution
